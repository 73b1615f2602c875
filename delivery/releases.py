"""`make history|rollback`: what the gate of a host has released of an application, and a version that ran, again."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from contract.check import ContractError, checked
from contract.outputs import Outputs
from provisioning.errors import ProvisioningError
from provisioning.host import Address
from provisioning.hosts import Hosts
from provisioning.keys import key_loader
from provisioning.portainer.gated import Gate, GateRefused
from provisioning.ssh import Ssh

SHORT = 10


def main(arguments: list[str]) -> int:
    """Read `pulumi stack output --json` from standard input; 1 with one sentence where it could not be done."""
    options = _parser().parse_args(arguments)
    ssh = Ssh(key_loader(None))
    try:
        gate = Gate(Hosts(ssh), _address(checked(json.loads(sys.stdin.read() or "{}")), options.app))
        for line in _history(gate, options) if options.what == "history" else _rollback(gate, options):
            print(line)
    except (ContractError, ProvisioningError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        ssh.close()
    return 0


def _address(outputs: Outputs, app: str) -> Address:
    stack = outputs.stacks.get(app)
    if stack is None:
        expected = ", ".join(outputs.stacks) or "none is there"
        raise ProvisioningError(f"APP={app}: no such application, expected one of: {expected}")
    host = outputs.hosts[stack.host]
    return Address(host=host.address, port=host.port, user=host.user, host_key=host.host_key)


def _history(gate: Gate, options: argparse.Namespace) -> Iterator[str]:
    events = gate.history(options.app)
    if options.json:
        yield json.dumps(events, indent=2)
        return
    yield f"{'when (UTC)':19}  {'commit':10}  {'result':8}  who"
    for event in events:
        yield from _event(event)


def _event(event: Mapping[str, Any]) -> Iterator[str]:
    version = event["version"]
    who = " ".join(filter(None, (version["by"], f"({version['author']})" if version["author"] else "")))
    yield f"{event['at'][:19]}  {version['commit'][:SHORT]:10}  {event['result']:8}  {who}"
    if version["subject"]:
        yield f"{'':21}{version['subject']}"
    if event.get("reason"):
        yield f"{'':21}{event['reason']}"
    for service, image in sorted(version["images"].items()):
        yield f"{'':21}{service}: {image.rpartition('@')[2][:19]}"


def _rollback(gate: Gate, options: argparse.Namespace) -> Iterator[str]:
    try:
        status = gate.rollback(options.app, options.to)
    except GateRefused as error:
        raise ProvisioningError(f"{options.app}: {error}") from error
    yield f"{options.app}: {status['running'][:SHORT]} runs, by {status['by']}"
    yield "It stays until another commit is pushed, or `make up` asks for the last one."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("releases")
    parser.add_argument("what", choices=("history", "rollback"))
    parser.add_argument("--app", required=True)
    parser.add_argument("--to", default="")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
