"""A stack's outputs as a person wants to read them at the end of `make up`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def summary(outputs: Mapping[str, Any], known_hosts: Path, key_file: str | None) -> Iterator[str]:
    """Lines to print: each host with its address, pinned key and an ssh line that trusts that key alone."""
    for name, host in hosts(outputs).items():
        yield f"{name}: {host['address']}"
        if isinstance(host.get("host_key"), str):
            yield f"  host key  {host['host_key']}"
            yield f"  ssh       {ssh_line(host, known_hosts, key_file)}"
    for name, url in _urls(outputs):
        yield f"{name}: {url}"


def _urls(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every page: of Portainer by host, of applications by name and port."""
    for host, server in (outputs.get("portainers") or {}).items():
        yield f"portainer on {host}", str(server["url"])
    for name, stack in (outputs.get("stacks") or {}).items():
        for port, url in (stack.get("urls") or {}).items():
            yield f"{name} {port}", str(url)


def known_hosts_lines(outputs: Mapping[str, Any]) -> Iterator[str]:
    """The pinned keys as ssh reads them, for a file that ssh asks and nobody else writes."""
    for host in hosts(outputs).values():
        if isinstance(host.get("host_key"), str):
            name = host["address"] if _port(host) == 22 else f"[{host['address']}]:{_port(host)}"
            yield f"{name} {host['host_key']}\n"


def ssh_line(host: Mapping[str, Any], known_hosts: Path, key_file: str | None) -> str:
    """A line to paste: it never asks whether to trust."""
    words = ["ssh", *(["-i", key_file] if key_file else []), "-o", f"UserKnownHostsFile={known_hosts}"]
    words += ["-p", str(_port(host))] if _port(host) != 22 else []
    return shlex.join([*words, f"{host.get('user', 'root')}@{host['address']}"])


def hosts(outputs: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Hosts by name that have an address, as the output contract describes them."""
    described = outputs.get("hosts")
    found = described.items() if isinstance(described, Mapping) else ()
    return {str(name): host for name, host in found if isinstance(host, Mapping) and "address" in host}


def _port(host: Mapping[str, Any]) -> int:
    return int(host.get("port", 22))
