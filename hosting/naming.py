"""Another name for an instance that is there, or none."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hosting import rows
from hosting.errors import DemandRefused, NameTaken, NoRoom
from hosting.events import remade
from hosting.model import Host, Instance
from hosting.routes import LABEL, full_name, taken
from hosting.states import calm
from hosting.wishes import wanted


def give_name(session: Session, name: str, route: str | None, *, now: datetime, who: str) -> Instance:
    """Its host's router leads that name to it; None: none does. DemandRefused, NoRoom, NameTaken, NotThere."""
    place = session.scalar(select(Instance.host).where(Instance.name == name))
    host = rows.host(session, place) if place else None  # before the instance, as whoever asks for one does
    instance = wanted(session, name)
    if route is not None and host is not None:
        _refuse(session, host, name, route)
    before = full_name(instance.route, instance.domain)
    instance.route, instance.domain = route, host.domain if host and route else None
    after = full_name(instance.route, instance.domain)
    if before != after:
        calm(instance)
        remade(session, instance, at=now, who=who, what="other name", text=f"{before or 'none'} => {after or 'none'}")
    return instance


def _refuse(session: Session, host: Host, name: str, route: str) -> None:
    if LABEL.fullmatch(route) is None:
        raise DemandRefused(f"route: {route!r}, expected small letters, digits, dashes, at most 63; choose another")
    if host.domain is None:
        raise NoRoom(f"route: {route!r}, expected a host that gives names, and {host.name} gives none; leave it out")
    owner = taken(session, host.domain).get(route)
    if owner not in (None, name):
        raise NameTaken(f"route: {route}.{host.domain} is that of {owner}, expected one of its own; choose another")
