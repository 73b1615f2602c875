"""What happened to instances: written with each change, kept for longer than the rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hosting.model import Event, Instance
from hosting.words import shown

LONGEST = 2000


def record(session: Session, instance: Instance, *, at: datetime, who: str, what: str, text: str = "") -> None:
    """Part of the caller's transaction: no change without its event, no event without its change."""
    told = Event(
        instance=instance.id,
        name=instance.name,
        at=at,
        who=shown(who, 200),
        what=shown(what, 63),
        text=shown(text, LONGEST),
    )
    session.add(told)


def remade(session: Session, instance: Instance, *, at: datetime, who: str, what: str, text: str) -> None:
    """The same for a change that the engine has to carry out."""
    instance.generation += 1
    instance.changed_at = at
    record(session, instance, at=at, who=who, what=what, text=text)


def history(session: Session, name: str, *, limit: int = 100) -> Sequence[Event]:
    """Of that name, also of earlier instances that had it; the newest first."""
    newest = select(Event).where(Event.name == name).order_by(Event.number.desc()).limit(limit)
    return session.scalars(newest).all()


def forget_before(session: Session, moment: datetime, *, at_most: int = 10_000) -> int:
    """Take older events away, a bounded number at a time; how many it were."""
    old = select(Event.number).where(Event.at < moment).order_by(Event.number).limit(at_most)
    numbers = session.scalars(old).all()
    session.execute(delete(Event).where(Event.at < moment, Event.number <= (max(numbers, default=0))))
    return len(numbers)


def count(session: Session) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(Event)) or 0
