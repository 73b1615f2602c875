"""Who listens on which TCP port of a host: its own programs, and containers whose ports Docker publishes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from provisioning.errors import ProvisioningError
from provisioning.host import Address
from provisioning.hosts import Hosts

TIMEOUT_S = 20.0
INSTANCE = "hypercompose.instance"
PROJECT = "com.docker.compose.project"
_FIELDS = (f'(.Label "{INSTANCE}")', f'(.Label "{PROJECT}")', ".Names", ".Ports")
FORM = f"D [{','.join(f'{{{{json {field}}}}}' for field in _FIELDS)}]"
# Published ports need no listener of their own where Docker has no proxy: the packet filter sends them on. Containers
# come before and after: one that starts or ends meanwhile is not taken for a proxy of nobody's.
PROGRAM = f"""set -euo pipefail
containers() {{ docker ps --no-trunc --format '{FORM}'; }}
containers=true
! command -v docker >/dev/null || ! docker info >/dev/null 2>&1 || containers=containers
$containers
ss -Hltnp | awk '{{print "L", $4, $6}}'
$containers
"""
_LISTENER = re.compile(r'\S*:(?P<port>\d{1,5}) ?(?:users:\(\("(?P<program>[^"]*)")?')
_PUBLISHED = re.compile(r"(\d+)(?:-(\d+))?->\d+(?:-\d+)?/tcp")


def listeners(hosts: Hosts, address: Address) -> dict[int, str]:
    """Port -> who: the instance for containers of one, else compose project, container or program. HostUnreachable."""
    result = hosts.ask(address, PROGRAM, TIMEOUT_S)
    if result.exit_code != 0:
        raise ProvisioningError(f"{address.host}: its listeners cannot be read: {result.stderr.strip()[-300:]}")
    try:
        return read_listeners(result.stdout)
    except ValueError as error:
        raise ProvisioningError(f"{address.host}: its listeners cannot be read: {error}") from error


def read_listeners(said: str) -> dict[int, str]:
    """What the program printed. Containers win over the proxy that listens for them. ValueError."""
    programs: dict[int, str] = {}
    containers: dict[int, str] = {}
    for line in said.split("\n"):  # labels may hold signs that `splitlines` takes for line ends
        kind, _, rest = line.partition(" ")
        if kind == "L" and (found := _LISTENER.match(rest)):
            programs[int(found["port"])] = found["program"] or "a program"
        elif kind == "D":
            containers |= dict(_published(rest))
    return {**programs, **containers}


def _published(line: str) -> Iterator[tuple[int, str]]:
    """JSON, as labels may hold whatever others put there: line ends, and what looks like a port."""
    try:
        instance, project, name, ports = map(str, json.loads(line))
    except (TypeError, ValueError) as error:
        raise ValueError(f"docker said {line[:100]!r}") from error
    for found in _PUBLISHED.finditer(ports):
        for number in range(int(found[1]), int(found[2] or found[1]) + 1):
            yield number, instance or project or name
