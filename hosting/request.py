"""A demand becomes an instance with a host and ports of its own, or is refused before anything is made."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hosting.demand import Demand, check_demand
from hosting.errors import KeyReused, NameTaken, NoRoom
from hosting.events import record
from hosting.model import Host, Instance
from hosting.ports import lease
from hosting.room import Need, Room, place, rooms
from hosting.vocabulary import Run, State


def request(session: Session, demand: Demand, *, now: datetime, max_days: int | None = None) -> Instance:
    """The instance. DemandRefused, NameTaken, KeyReused, NoRoom."""
    check_demand(demand, max_days=max_days)
    hosts = _held(session, demand)  # from here on one request after the other
    if earlier := _earlier(session, demand):
        return earlier
    if session.scalar(select(Instance.id).where(Instance.name == demand.name)):
        raise NameTaken(f"name: {demand.name!r} is there already, expected a new one; choose another")
    room = _place(demand, rooms(session, hosts, now))
    instance = _row(demand, room, now)
    session.add(instance)
    session.flush()
    lease(session, next(host for host in hosts if host.name == room.host), instance, now)
    numbers = ", ".join(f"{port.name} {port.number}" for port in instance.ports)
    record(session, instance, at=now, who=demand.owner, what="requested", text=f"on {room.host}: {numbers}")
    return instance


def _held(session: Session, demand: Demand) -> Sequence[Host]:
    which = select(Host).order_by(Host.name)
    if demand.environment is not None:
        which = which.where(Host.environment == demand.environment)
    if demand.host is not None:
        which = which.where(Host.name == demand.host)
    return session.scalars(which.with_for_update().execution_options(populate_existing=True)).all()


def _earlier(session: Session, demand: Demand) -> Instance | None:
    """What the same key brought before."""
    if demand.idempotency_key is None:
        return None
    same = select(Instance).where(Instance.tenant == demand.tenant, Instance.idempotency_key == demand.idempotency_key)
    found = session.scalars(same).one_or_none()
    if found is not None and found.demand_hash != demand.hash():
        raise KeyReused(
            f"idempotency_key: {demand.idempotency_key!r} brought {found.name!r} from another demand, expected the "
            "same demand again; use a new key"
        )
    return found


def _place(demand: Demand, found: Iterable[Room]) -> Room:
    found = list(found)
    need = Need(
        memory_mib=demand.memory_mib,
        networks=demand.networks,
        ports=len(demand.port_names),
        route=demand.route,
        must_route=demand.must_route,
    )
    room = place(found, need)
    if room is None:
        lines = [f"  {room.host}: {'; '.join(room.lacks(need))}" for room in found] or ["  there is no host"]
        raise NoRoom(
            "\n".join(
                [
                    f"host: none of {len(found)} has room for {demand.name}, expected one; "
                    "delete instances, add a host, or choose a smaller size",
                    *lines,
                ]
            )
        )
    return room


def _row(demand: Demand, room: Room, now: datetime) -> Instance:
    return Instance(
        id=str(uuid.uuid4()),
        name=demand.name,
        product=demand.product,
        version=demand.version,
        size=demand.size,
        settings=dict(demand.settings),
        tenant=demand.tenant,
        owner=demand.owner,
        host=room.host,
        memory_mib=demand.memory_mib,
        networks=demand.networks,
        port_names=list(demand.port_names),
        route=demand.route if room.domain else None,
        domain=room.domain if demand.route else None,
        state=State.REQUESTED,
        run=Run.STARTED,
        deadline=None if demand.lasts is None else now + demand.lasts,
        created_at=now,
        changed_at=now,
        idempotency_key=demand.idempotency_key,
        demand_hash=demand.hash(),
    )
