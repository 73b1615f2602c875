"""Which ports may be published, and to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policies.compose import TYPES, files
from policies.resource import Resource, items, pairs
from policies.rule import Level, Rule

DOCKER, HOST = "hypercompose:host:DockerFirewall", "hypercompose:host:Firewall"
DOC = "docs/hosts.md"
WEB = (80, 443)
RANGE = range(1024, 32768)
"""Above it the kernel takes ports for connections that a host itself opens."""
RESERVED = {
    22: "SSH",
    111: "rpcbind",
    2375: "Docker's API",
    2376: "Docker's API",
    2377: "Docker Swarm",
    4789: "Docker Swarm",
    7946: "Docker Swarm",
    9443: "Portainer",
}
PORTAINER = re.compile(r"portainer_*")
"""The opening that the program makes for Portainer itself."""
DOCKER_API = "docker-api"
"""The one that it makes for the Portainer of another host: for its address alone."""
EVERYBODY = ("0.0.0.0/0", "::/0")


def wrong_ports(resource: Resource) -> Iterator[str]:
    """Ports that are somebody else's, or outside of the range."""
    for where, number in (*_published(resource), *_in_files(resource)):
        if number in RESERVED:
            yield f"{where}: {number}, which is for {RESERVED[number]}"
        elif number not in RANGE and number not in WEB:
            yield f"{where}: {number}"


def undeclared(resource: Resource) -> Iterator[str]:
    """Openings that do not say to whom."""
    for where, opening in _openings(resource):
        if opening.get("sources") in ([], None):
            yield f"{where}.sources: none, which means everybody"


def to_everybody(resource: Resource) -> Iterator[str]:
    """Openings to the whole world, said on purpose."""
    for where, opening in _openings(resource):
        for source in items(opening.get("sources")):
            if str(source) in EVERYBODY:
                yield f"{where}.sources: {source}"


def ssh_to_everybody(resource: Resource) -> Iterator[str]:
    """SSH without sources."""
    sources = resource.get("ssh_sources")
    if sources in ([], None):
        yield "ssh_sources: none, which means everybody"
    yield from (f"ssh_sources: {source}" for source in items(sources) if str(source) in EVERYBODY)


def not_closed(resource: Resource) -> Iterator[str]:
    """Hosts on which more is open than was said."""
    if resource.get("closed") is False:
        yield "closed: false"
    if resource.get("undeclared") == "untouched":
        yield 'undeclared: "untouched"'
    for name, zone in pairs(resource.get("zones")):
        if isinstance(zone, dict) and zone.get("target") == "ACCEPT":
            yield f"zones.{name}.target: ACCEPT"


def _openings(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    key = "published" if resource.type == DOCKER else "open"
    yield from ((f"{key}.{name}", one) for name, one in pairs(resource.get(key)) if isinstance(one, dict))


def _published(resource: Resource) -> Iterator[tuple[str, int]]:
    for name, opening in pairs(resource.get("published")):
        for port in items(opening.get("ports")) if isinstance(opening, dict) else ():
            for number in _numbers(str(port).partition("/")[0]):
                if not _is_made_here(name, number, opening):
                    yield f"published.{name}", number


def _is_made_here(name: str, number: int, opening: dict[str, Any]) -> bool:
    if name == DOCKER_API and number == 2376:
        return not any(str(source).partition("/")[2] in map(str, range(32)) for source in items(opening.get("sources")))
    return number == 9443 and PORTAINER.fullmatch(name) is not None


def _in_files(resource: Resource) -> Iterator[tuple[str, int]]:
    for file in files(resource):
        for service in file.services:
            for port in service.content["ports"]:
                for number in _numbers(str(port.get("published"))):
                    yield f"{service.where}.ports", number


def _numbers(text: str) -> Iterator[int]:
    """Both ends of a range tell whether it may be: what is between them is asked for the reserved ones."""
    first, _, last = text.partition("-")
    if first.isdigit() and (last.isdigit() or not last):
        ends = {int(first), int(last or first)}
        yield from sorted(ends | {number for number in RESERVED if min(ends) < number < max(ends)})


RULES = (
    Rule(
        name="ports-allowed",
        level=Level.MANDATORY,
        holds=f"published ports are 80, 443, or from {RANGE.start} to {RANGE.stop - 1}, and nobody else's",
        remedy="choose another port",
        doc="docs/stacks.md",
        types=(DOCKER, *TYPES),
        find=wrong_ports,
        guard="settings: none twice on a host; provider: none that something else listens on",
    ),
    Rule(
        name="sources-declared",
        level=Level.MANDATORY,
        holds="whoever may reach a port is named",
        remedy="list networks under `sources`; everybody is 0.0.0.0/0, and has to be said",
        doc=DOC,
        types=(DOCKER, HOST),
        find=undeclared,
        guard="settings, for ports of `stacks` and of Portainer",
    ),
    Rule(
        name="not-open-to-everybody",
        level=Level.ADVISORY,
        holds="no port is open to the whole world",
        remedy="narrow `sources`, unless it is meant",
        doc=DOC,
        types=(DOCKER, HOST),
        find=to_everybody,
    ),
    Rule(
        name="ssh-sources-declared",
        level=Level.ADVISORY,
        holds="SSH is open to the networks it is used from",
        remedy="list them under `baseline.firewall.ssh_sources`",
        doc=DOC,
        types=(HOST,),
        find=ssh_to_everybody,
    ),
    Rule(
        name="hosts-closed",
        level=Level.ADVISORY,
        holds="what was not opened is closed",
        remedy="take that setting out, once everything that others need there is declared",
        doc=DOC,
        types=(DOCKER, HOST),
        find=not_closed,
        guard="settings: so by default, but for published ports of servers that were there before",
    ),
)
