"""Who listens on which TCP port of a host: its own programs, and containers whose ports Docker publishes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provisioning.errors import ProvisioningError
from provisioning.host import Address
from provisioning.hosts import Hosts

TIMEOUT_S = 20.0
INSTANCE = "hypercompose.instance"
PROJECT = "com.docker.compose.project"
# Published ports need no listener of their own where Docker has no proxy: the packet filter sends them on.
PROGRAM = f"""set -euo pipefail
ss -Hltnp | awk '{{print "L", $4, $6}}'
if command -v docker >/dev/null && docker info >/dev/null 2>&1; then
  form='{{{{.Label "{INSTANCE}"}}}}|{{{{.Label "{PROJECT}"}}}}|{{{{.Names}}}}|{{{{.Ports}}}}'
  docker ps --no-trunc --format "D $form"
fi
"""
_PROCESS = re.compile(r'users:\(\("([^"]*)"')
_PUBLISHED = re.compile(r"(\d+)(?:-(\d+))?->\d+(?:-\d+)?/tcp")


def listeners(hosts: Hosts, address: Address) -> dict[int, str]:
    """Port -> who: the instance for containers of one, else compose project, container or program. HostUnreachable."""
    result = hosts.ask(address, PROGRAM, TIMEOUT_S)
    if result.exit_code != 0:
        raise ProvisioningError(f"{address.host}: its listeners cannot be read: {result.stderr.strip()[-300:]}")
    return read_listeners(result.stdout)


def read_listeners(said: str) -> dict[int, str]:
    """What the program printed. Containers win over the proxy that listens for them."""
    programs: dict[int, str] = {}
    containers: dict[int, str] = {}
    for line in said.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "L":
            place, _, process = rest.partition(" ")
            found = _PROCESS.search(process)
            programs[int(place.rpartition(":")[2])] = found[1] if found else "a program"
        elif kind == "D":
            containers |= dict(_published(rest))
    return {**programs, **containers}


def _published(line: str) -> Iterator[tuple[int, str]]:
    instance, project, name, ports = line.split("|", 3)
    for found in _PUBLISHED.finditer(ports):
        for number in range(int(found[1]), int(found[2] or found[1]) + 1):
            yield number, instance or project or name
