"""More time for an instance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from hosting.errors import ExtensionRefused
from hosting.events import record
from hosting.model import Instance
from hosting.states import calm
from hosting.vocabulary import Run
from hosting.wishes import is_expired, wanted

NOTHING = timedelta(0)


def extend(
    session: Session,
    name: str,
    *,
    now: datetime,
    who: str,
    max_days: int,
    until: datetime | None = None,
    by: timedelta | None = None,
) -> Instance:
    """Move the deadline, at most `max_days` from now; one that has expired shall run again.

    `by` counts from the deadline, or from now when that has passed. ExtensionRefused, NotThere, BeingDeleted.
    """
    instance = wanted(session, name)
    before = instance.deadline
    if before is None:
        raise ExtensionRefused(f"deadline: {name} has none, expected one to move; there is nothing to extend")
    after = _after(before, until=until, by=by, now=now, max_days=max_days)
    if is_expired(instance, now):
        instance.run = Run.STARTED
        calm(instance)
    instance.deadline, instance.destroy_after, instance.changed_at = after, None, now
    record(session, instance, at=now, who=who, what="extend", text=f"{_said(before)} => {_said(after)}")
    return instance


def _after(before: datetime, *, until: datetime | None, by: timedelta | None, now: datetime, max_days: int) -> datetime:
    if (until is None) == (by is None):
        raise ExtensionRefused(
            f"until: {until}, by: {by}, expected exactly one of them; say until when, or for how long"
        )
    start, most = max(before, now), now + timedelta(days=max_days)
    if until is not None and until.tzinfo is None:
        raise ExtensionRefused(f"until: {until}, expected a time with its zone; write it like {_said(most)}")
    # By what leaves the calendar nothing can be moved.
    after = until or start + min(max(by or NOTHING, NOTHING), timedelta(days=max_days))
    if not start < after <= most or (by is not None and by > timedelta(days=max_days)):
        raise ExtensionRefused(
            f"{'until' if by is None else 'by'}: {until or by}, expected after {_said(start)} and at most {max_days} "
            f"days from now ({_said(most)}); choose a time between"
        )
    return after.astimezone(UTC)


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
