"""An instance or a host, found and held for the transaction: what is decided on it is still so when written."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from hosting.errors import NotThere
from hosting.model import Host, Instance


def named(session: Session, name: str) -> Instance:
    """By its name. NotThere."""
    return _held(session, Instance.name == name, name)


def numbered(session: Session, instance_id: str) -> Instance:
    """By its id. NotThere."""
    return _held(session, Instance.id == instance_id, instance_id)


def host(session: Session, name: str) -> Host:
    """A host, held: one decision on its ports and memory after the other. Before its instances, never after."""
    held = select(Host).where(Host.name == name).with_for_update().execution_options(populate_existing=True)
    found = session.scalars(held).one_or_none()
    if found is None:
        raise NotThere(f"host: {name!r}, expected one that an environment has told; bring the environment up first")
    return found


def _held(session: Session, which: ColumnElement[bool], asked: str) -> Instance:
    held = select(Instance).where(which).with_for_update().execution_options(populate_existing=True)
    found = session.scalars(held).one_or_none()
    if found is None:
        raise NotThere(f"instance: {asked!r}, expected one that is there; list them")
    return found
