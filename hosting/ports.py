"""Leases of ports: taken in one piece, given back into quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from hosting import rows
from hosting.errors import NoRoom
from hosting.events import remade
from hosting.lock import present
from hosting.model import Host, Instance, Port
from hosting.room import rooms


def lease(session: Session, host: Host, instance: Instance, now: datetime) -> list[Port]:
    """Neighbours for all that it needs ports for, on a host that the caller holds. NoRoom."""
    count = len(instance.port_names)
    room = rooms(session, [host], now)[0]
    numbers = room.ports(count)
    if numbers is None:
        raise NoRoom(
            f"ports: no {count} free side by side in {host.first_port}-{host.last_port} of {host.name}, expected "
            "some; delete instances, or widen the range"
        )
    session.execute(delete(Port).where(Port.host == host.name, Port.number.in_(numbers)))  # quarantine that is over
    leased = [
        Port(host=host.name, number=number, instance=instance.id, name=name)
        for number, name in zip(numbers, instance.port_names, strict=True)
    ]
    session.add_all(leased)
    session.flush()
    session.refresh(instance, ["ports"])
    return leased


def release_ports(session: Session, instance: Instance, *, now: datetime, quarantine: timedelta) -> list[int]:
    """Give its ports back; nobody gets them before the quarantine is over, for what still talks to them."""
    numbers = leased(session, instance)
    session.execute(
        update(Port)
        .where(Port.instance == instance.id)
        .values(instance=None, name="", quarantined_until=now + quarantine)
    )
    session.expire(instance, ["ports"])
    return list(numbers)


def reallocate(
    session: Session, instance_id: str, *, token: int, now: datetime, quarantine: timedelta, who: str
) -> Instance:
    """Other ports, for the next try of one that could not be made on those it had. LockLost, NoRoom."""
    host = rows.host(session, _host_of(session, instance_id))
    instance = rows.numbered(session, instance_id)
    present(instance, token, now)
    before = release_ports(session, instance, now=now, quarantine=quarantine)
    after = [port.number for port in lease(session, host, instance, now)]
    remade(session, instance, at=now, who=who, what="other ports", text=f"{_said(before)} => {_said(after)}")
    return instance


def leased(session: Session, instance: Instance) -> Sequence[int]:
    """Numbers it has."""
    return session.scalars(select(Port.number).where(Port.instance == instance.id).order_by(Port.number)).all()


def in_use(session: Session, host: str) -> int:
    """How many of the host's ports are leased."""
    return session.scalar(select(func.count()).where(Port.host == host, Port.instance.is_not(None))) or 0


def _host_of(session: Session, instance_id: str) -> str:
    return session.scalar(select(Instance.host).where(Instance.id == instance_id)) or ""


def _said(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
