"""Names of instances at the routers of their hosts."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hosting.events import remade
from hosting.model import Instance
from hosting.vocabulary import State

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""A DNS label."""


def full_name(route: str | None, domain: str | None) -> str | None:
    """As DNS knows it; None: it has no name."""
    return f"{route}.{domain}" if route and domain else None


def address(route: str | None, domain: str | None, port: int | None) -> str | None:
    """To open in a browser; None: it has no name."""
    name = full_name(route, domain)
    return name and f"https://{name}{'' if port in (443, None) else f':{port}'}"


def taken(session: Session, domain: str | None) -> dict[str, str]:
    """Instance by name below a domain."""
    there = select(Instance.route, Instance.name).where(Instance.domain == domain, Instance.route.is_not(None))
    return {str(route): name for route, name in session.execute(there)} if domain else {}


def rename(session: Session, host: str, domain: str | None, *, now: datetime) -> None:
    """The host's domain is another one now, or none: what has a name there is made anew, with what is left of it."""
    there = select(Instance).where(Instance.host == host, Instance.route.is_not(None), Instance.state != State.DELETING)
    held = there.order_by(Instance.name).with_for_update().execution_options(populate_existing=True)
    for instance in session.scalars(held).all():
        before = full_name(instance.route, instance.domain)
        instance.domain, instance.route = domain, instance.route if domain else None
        text = f"{before} => {full_name(instance.route, domain) or 'none'}"
        remade(session, instance, at=now, who="environment", what="other name", text=text)
