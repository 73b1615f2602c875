"""What people want of an instance. Their wish is a row at once; a worker carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hosting import rows
from hosting.demand import check_size
from hosting.errors import BeingDeleted, Expired, NoRoom, NotThere
from hosting.events import record, remade
from hosting.model import Instance
from hosting.room import rooms
from hosting.states import calm
from hosting.vocabulary import Run, State


def stop(session: Session, name: str, *, now: datetime, who: str) -> Instance:
    """It shall not run. NotThere, BeingDeleted."""
    return _shall(session, wanted(session, name), Run.STOPPED, now=now, who=who)


def start(session: Session, name: str, *, now: datetime, who: str) -> Instance:
    """It shall run. Expired when its deadline has passed: `extend` brings it back. NotThere, BeingDeleted."""
    instance = wanted(session, name)
    if is_expired(instance, now):
        raise Expired(f"deadline: {instance.deadline} of {name} has passed, expected one ahead; extend it")
    return _shall(session, instance, Run.STARTED, now=now, who=who)


def resize(
    session: Session,
    name: str,
    *,
    size: str,
    memory_mib: int,
    now: datetime,
    who: str,
    version: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Instance:
    """Another size, version or settings; it is made anew on its host once it runs.

    DemandRefused, NoRoom, NotThere, BeingDeleted.
    """
    check_size(size=size, memory_mib=memory_mib, version=version, settings=settings)
    host = rows.host(session, session.scalar(select(Instance.host).where(Instance.name == name)) or _none(name))
    instance = wanted(session, name)
    more = memory_mib - instance.memory_mib
    free = rooms(session, [host], now)[0].free_memory_mib
    if more > free:
        raise NoRoom(
            f"size: {size} for {name}: {more} MiB more, {free} of {host.memory_mib} MiB free on {host.name}, expected "
            "room for it there; choose a smaller one, or delete others"
        )
    before = f"{instance.size}, {instance.memory_mib} MiB"
    instance.size, instance.memory_mib = size, memory_mib
    instance.version = version or instance.version
    instance.settings = instance.settings if settings is None else dict(settings)
    calm(instance)
    remade(session, instance, at=now, who=who, what="resize", text=f"{before} => {size}, {memory_mib} MiB")
    return instance


def delete(session: Session, name: str, *, now: datetime, who: str, keep_volumes: bool = False) -> Instance:
    """It shall go. Final; asked for again it changes nothing. NotThere."""
    instance = rows.named(session, name)
    if instance.state is not State.DELETING:
        let_go(instance, now=now, keep_volumes=keep_volumes)
        text = "volumes stay" if keep_volumes else ""
        record(session, instance, at=now, who=who, what=State.DELETING, text=text)
    return instance


def let_go(instance: Instance, *, now: datetime, keep_volumes: bool) -> None:
    """On its way out."""
    instance.state, instance.keep_volumes, instance.changed_at = State.DELETING, keep_volumes, now
    calm(instance)


def wanted(session: Session, name: str) -> Instance:
    """One that is not on its way out. NotThere, BeingDeleted."""
    instance = rows.named(session, name)
    if instance.state is State.DELETING:
        raise BeingDeleted(f"instance: {name!r} is being deleted, expected one that stays; ask for a new one")
    return instance


def is_expired(instance: Instance, now: datetime) -> bool:
    """Its time is over, or was when it was stopped for that."""
    if instance.deadline is None:
        return False
    return instance.expired_for == instance.deadline or instance.deadline <= now


def _shall(session: Session, instance: Instance, run: Run, *, now: datetime, who: str) -> Instance:
    is_new = instance.run is not run
    if is_new or instance.attempts:
        instance.run, instance.changed_at = run, now
        calm(instance)
        record(session, instance, at=now, who=who, what="start" if run is Run.STARTED else "stop")
    return instance


def _none(name: str) -> str:
    raise NotThere(f"instance: {name!r}, expected one that is there; list them")
