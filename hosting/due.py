"""The work of one tick: which deadlines bring what now, and that it is done, each exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hosting import rows
from hosting.deadlines import Policy, action
from hosting.errors import NotThere
from hosting.events import record
from hosting.model import Instance
from hosting.states import calm
from hosting.vocabulary import Action, Run, State
from hosting.wishes import let_go

HELD_BACK = frozenset({Action.STOP, Action.DESTROY})
"""What is capped, and waits while the clock cannot be trusted."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """An action, and the deadline that it was decided on."""

    instance: str
    name: str
    owner: str
    action: Action
    deadline: datetime


def due(session: Session, *, now: datetime, policy: Policy, cap: int, is_held: bool = False) -> list[Due]:
    """What to do now, the oldest deadline first. At most `cap` stops and `cap` destroys; none while they are held."""
    near = select(Instance).where(Instance.deadline <= now + policy.warn_before, Instance.state != State.DELETING)
    found = session.scalars(near.order_by(Instance.deadline, Instance.id))
    return list(_capped(found, policy, now, 0 if is_held else cap))


def handle(session: Session, what: Due, *, now: datetime, policy: Policy, who: str) -> bool:
    """Write down that it is done: a warning or a backup that was carried out; a stop or a destroy is by that asked for.

    False when it is no longer due, such as after an extension: then nothing is changed.
    """
    try:
        instance = rows.numbered(session, what.instance)
    except NotThere:
        return False
    if instance.deadline != what.deadline or action(instance, policy, now) is not what.action:
        return False
    _handled(instance, what.action, now, policy)
    text = f"deadline {what.deadline:%Y-%m-%d %H:%M} UTC"
    record(session, instance, at=now, who=who, what=f"deadline: {what.action}", text=text)
    return True


def _handled(instance: Instance, what: Action, now: datetime, policy: Policy) -> None:
    instance.changed_at = now
    match what:
        case Action.WARN:
            instance.warned_for = instance.deadline
        case Action.STOP:
            instance.run, instance.expired_for = Run.STOPPED, instance.deadline
            instance.destroy_after, instance.backed_up_at = now + policy.grace, None
            calm(instance)
        case Action.FINAL_BACKUP:
            instance.backed_up_at = now
        case Action.DESTROY:
            let_go(instance, now=now, keep_volumes=False)


def _capped(found: Iterable[Instance], policy: Policy, now: datetime, cap: int) -> Iterator[Due]:
    seen: Counter[Action] = Counter()
    for instance in found:
        what = action(instance, policy, now)
        if what is None or instance.deadline is None or (what in HELD_BACK and seen[what] >= cap):
            continue
        seen[what] += 1
        yield Due(
            instance=instance.id,
            name=instance.name,
            owner=instance.owner,
            action=what,
            deadline=instance.deadline,
        )
