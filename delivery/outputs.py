"""`make outputs`: the outputs, checked against the contract, in the form that a reader wants. Never a secret."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from contract.check import ContractError, checked
from contract.outputs import HostTold, Outputs, StackTold
from delivery.markdown import code, table

HIDDEN = "[secret]"
HOST_FIELDS = ("address", "port", "user", "host_key")


def main(arguments: list[str]) -> int:
    """Read `pulumi stack output --json` from standard input, print it; 1 where it does not keep the contract."""
    options = _parser().parse_args(arguments)
    try:
        outputs = checked(json.loads(sys.stdin.read() or "{}"))
    except ContractError as error:
        print(f"{error}; `make up` of this program brings them to the contract", file=sys.stderr)
        return 1
    print(FORMATS[options.format](outputs, options.known_hosts), end="")
    return 0


def as_json(outputs: Outputs, known_hosts: str) -> str:
    """All of them; a secret stays hidden, whoever pipes it in."""
    told = outputs.model_dump(exclude_none=True)
    for server in told["portainers"].values():
        server["password"] = HIDDEN
    for secret in ("webhooks", "hosting_keys"):
        told[secret] = dict.fromkeys(told[secret], HIDDEN)
    return json.dumps(told, indent=2) + "\n"


def as_env(outputs: Outputs, known_hosts: str) -> str:
    """Shell assignments, safe to eval whatever the values hold."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in _variables(outputs).items())


def as_ansible(outputs: Outputs, known_hosts: str) -> str:
    """A YAML inventory that pins the hosts' keys."""
    hosts = {name: _ansible_host(host, known_hosts) for name, host in outputs.hosts.items()}
    for name, stack in outputs.stacks.items():
        hosts[stack.host].setdefault("hypercompose_stacks", []).append(name)
    said = {"hypercompose_site": outputs.site, "hypercompose_environment": outputs.environment}
    group = re.sub(r"\W", "_", f"{outputs.site}_{outputs.environment}")
    return yaml.safe_dump({"all": {"children": {group: {"hosts": hosts, "vars": said}}}}, sort_keys=False)


def as_markdown(outputs: Outputs, known_hosts: str) -> str:
    """Tables for a wiki."""
    return "\n".join(_markdown(outputs)) + "\n"


FORMATS: Mapping[str, Callable[[Outputs, str], str]] = {
    "json": as_json,
    "env": as_env,
    "ansible": as_ansible,
    "md": as_markdown,
}


def _variables(outputs: Outputs) -> dict[str, str]:
    found = {"site": outputs.site, "environment": outputs.environment, "contract": outputs.contract}
    for name, host in outputs.hosts.items():
        found |= {
            f"host {name} {field}": str(getattr(host, field)) for field in ("address", "port", "user", "host_key")
        }
    for name, server in outputs.portainers.items():
        found[f"portainer {name} url"] = server.url
    for name, stack in outputs.stacks.items():
        found |= {f"stack {name} host": stack.host, f"stack {name} commit": stack.commit}
        found |= {f"stack {name} url {port}": url for port, url in stack.urls.items()}
    return {_variable(words): value for words, value in found.items()}


def _variable(words: str) -> str:
    return "HYPERCOMPOSE_" + re.sub(r"[^A-Z0-9]", "_", words.upper())


def _ansible_host(host: HostTold, known_hosts: str) -> dict[str, Any]:
    return {
        "ansible_host": host.address,
        "ansible_port": host.port,
        "ansible_user": host.user,
        "ansible_ssh_common_args": shlex.join(
            ["-o", f"UserKnownHostsFile={known_hosts}", "-o", "StrictHostKeyChecking=yes"]
        ),
        "hypercompose_host_key": host.host_key,
    }


def _markdown(outputs: Outputs) -> Iterator[str]:
    yield f"## {code(outputs.environment)} on {code(outputs.site)}, contract {outputs.contract}\n"
    yield from table(("host", "address", "login", "VM", "host key"), map(_host_row, outputs.hosts.items()))
    yield ""
    yield from table(("stack", "host", "commit", "addresses"), map(_stack_row, outputs.stacks.items()))


def _host_row(named: tuple[str, HostTold]) -> tuple[str, ...]:
    name, host = named
    vm = f"{host.vm_id} on {code(host.node)}" if host.vm_id else "was there"
    return code(name), code(host.address), f"{code(host.user)}, port {host.port}", vm, code(host.host_key)


def _stack_row(named: tuple[str, StackTold]) -> tuple[str, ...]:
    name, stack = named
    urls = ", ".join(f"{code(port)} {code(url)}" for port, url in stack.urls.items())
    return code(name), code(stack.host), code(stack.commit[:12]), urls


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make outputs", description=__doc__)
    parser.add_argument("--format", choices=FORMATS, default="json")
    parser.add_argument("--known-hosts", default="known_hosts")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
