"""How much of a host is left, and which host an instance goes to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from hosting import routes
from hosting.model import Host, Instance, Port


@dataclass(frozen=True, kw_only=True)
class Need:
    """What an instance takes of its host."""

    memory_mib: int
    networks: int
    ports: int
    """Neighbours."""
    route: str | None = None
    """Name at the host's router, where it has one; None: no name is wanted."""
    must_route: bool = False
    """Not without that name."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """What a host has, and what of it is left."""

    host: str
    is_open: bool
    memory_mib: int
    free_memory_mib: int
    networks: int
    free_networks: int
    first_port: int
    last_port: int
    used_ports: frozenset[int]
    domain: str | None = None
    routes: Mapping[str, str] = field(default_factory=dict)
    """Instance by name below the domain."""

    def ports(self, count: int) -> range | None:
        """The lowest neighbours that are free."""
        return lowest_free(self.first_port, self.last_port, self.used_ports, count)

    def lacks(self, need: Need) -> Iterator[str]:
        """What it has not got, in words for people; nothing: there is room."""
        if not self.is_open:
            yield "takes no new instances"
        if self.free_memory_mib < need.memory_mib:
            yield f"memory: {self.free_memory_mib} of {self.memory_mib} MiB free, {need.memory_mib} needed"
        if self.free_networks < need.networks:
            yield f"networks: {self.free_networks} of {self.networks} free, {need.networks} needed"
        if self.ports(need.ports) is None:
            yield f"ports: no {need.ports} free side by side in {self.first_port}-{self.last_port}"
        if need.must_route and self.domain is None:
            yield "names: it has no domain for them"
        if self.domain and need.route is not None and need.route in self.routes:
            yield f"names: {need.route}.{self.domain} is that of {self.routes[need.route]}"


def lowest_free(first: int, last: int, used: Collection[int], count: int) -> range | None:
    """The lowest `count` neighbours of the range that are not used."""
    start = first
    while start + count - 1 <= last:
        taken = next((number for number in range(start + count - 1, start - 1, -1) if number in used), None)
        if taken is None:
            return range(start, start + count)
        start = taken + 1
    return None


def place(rooms: Iterable[Room], need: Need) -> Room | None:
    """The host with most memory free of those with room; of equals the first by name."""
    fitting = [room for room in rooms if not any(room.lacks(need))]
    return min(fitting, key=lambda room: (-room.free_memory_mib, room.host), default=None)


def rooms(session: Session, hosts: Sequence[Host], now: datetime) -> list[Room]:
    """Of hosts that the caller holds."""
    names = [host.name for host in hosts]
    taken = {
        name: (memory, networks)
        for name, memory, networks in session.execute(
            select(Instance.host, func.sum(Instance.memory_mib), func.sum(Instance.networks))
            .where(Instance.host.in_(names))
            .group_by(Instance.host)
        )
    }
    used: dict[str, set[int]] = {name: set() for name in names}
    for name, number in session.execute(select(Port.host, Port.number).where(Port.host.in_(names), is_used(now))):
        used[name].add(number)
    return [
        _room(host, *taken.get(host.name, (0, 0)), used[host.name], routes.taken(session, host.domain))
        for host in hosts
    ]


def is_used(now: datetime) -> ColumnElement[bool]:
    """Of ports that must not be handed out."""
    return or_(Port.instance.is_not(None), Port.taken_by_others, Port.quarantined_until > now)


def _room(host: Host, memory: int, networks: int, used: Collection[int], names: Mapping[str, str]) -> Room:
    return Room(
        host=host.name,
        is_open=host.is_open,
        memory_mib=host.memory_mib,
        free_memory_mib=max(0, host.memory_mib - int(memory)),
        networks=host.networks,
        free_networks=max(0, host.networks - int(networks)),
        first_port=host.first_port,
        last_port=host.last_port,
        used_ports=frozenset(used),
        domain=host.domain,
        routes=names,
    )
