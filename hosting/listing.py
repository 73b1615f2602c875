"""Instances as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from hosting.errors import NotThere
from hosting.model import Host, Instance
from hosting.routes import address
from hosting.vocabulary import Run, State


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which instances. None: all."""

    name: str | None = None
    tenant: str | None = None
    owner: str | None = None
    product: str | None = None
    host: str | None = None
    state: State | None = None
    ends_before: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One instance."""

    id: str
    name: str
    product: str
    version: str
    size: str
    tenant: str
    owner: str
    host: str
    address: str
    ports: Mapping[str, int]
    url: str | None
    """By its name; None: it has none."""
    state: State
    run: Run
    deadline: datetime | None
    left: timedelta | None
    """Until the deadline; negative: it has passed."""
    destroy_after: datetime | None
    why: str


def listing(session: Session, which: Filter | None = None, *, now: datetime) -> list[Listed]:
    """By name."""
    found = select(Instance, Host).join(Host, Host.name == Instance.host).order_by(Instance.name)
    which = which or Filter()
    for field in ("name", "tenant", "owner", "product", "host", "state"):
        if (value := getattr(which, field)) is not None:
            found = found.where(getattr(Instance, field) == value)
    if which.ends_before is not None:
        found = found.where(Instance.deadline < which.ends_before)
    return [_listed(instance, host, now) for instance, host in session.execute(found)]


def find(session: Session, name: str) -> Instance:
    """To look at, not to change. NotThere."""
    found = session.scalars(select(Instance).where(Instance.name == name)).one_or_none()
    if found is None:
        raise NotThere(f"instance: {name!r}, expected one that is there; list them")
    return found


def _listed(instance: Instance, host: Host, now: datetime) -> Listed:
    return Listed(
        id=instance.id,
        name=instance.name,
        product=instance.product,
        version=instance.version,
        size=instance.size,
        tenant=instance.tenant,
        owner=instance.owner,
        host=instance.host,
        address=host.address,
        ports={port.name: port.number for port in instance.ports},
        url=address(instance.route, instance.domain, host.route_port),
        state=instance.state,
        run=instance.run,
        deadline=instance.deadline,
        left=None if instance.deadline is None else instance.deadline - now,
        destroy_after=instance.destroy_after,
        why=instance.why,
    )
