"""Which state follows which, and how a worker says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from hosting import rows
from hosting.errors import IllegalMove
from hosting.events import record
from hosting.lock import present
from hosting.model import Instance
from hosting.ports import release_ports
from hosting.vocabulary import State
from hosting.words import shown

S = State
MOVES: Mapping[State, frozenset[State]] = {
    S.REQUESTED: frozenset({S.CREATING, S.STOPPING}),
    S.CREATING: frozenset({S.CREATING, S.RUNNING, S.STOPPED, S.STOPPING}),
    S.RUNNING: frozenset({S.CREATING, S.STOPPING}),
    S.STOPPING: frozenset({S.STOPPING, S.STOPPED, S.STARTING, S.CREATING}),
    S.STOPPED: frozenset({S.CREATING, S.STARTING}),
    S.STARTING: frozenset({S.STARTING, S.RUNNING, S.STOPPING, S.CREATING}),
    S.FAILED: frozenset({S.CREATING, S.STARTING, S.STOPPING}),
    S.DELETING: frozenset(),
}
"""From -> to, for workers. To itself: another takes up what one has left. `fail` and `delete` come from anywhere."""
SETTLED = frozenset({S.RUNNING, S.STOPPED})
BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 120, 300, 600))
"""How long to wait after the first failure, the second, …; after those, the last."""
LONGEST_WHY = 2000


def move(
    session: Session,
    instance_id: str,
    to: State,
    *,
    token: int,
    now: datetime,
    who: str,
    made: int | None = None,
) -> Instance:
    """The next state, where it may follow. `made`: the generation that was carried out. IllegalMove, LockLost."""
    instance = rows.numbered(session, instance_id)
    present(instance, token, now)
    if to not in MOVES[instance.state]:
        may = ", ".join(sorted(MOVES[instance.state])) or "none"
        raise IllegalMove(
            f"state: {instance.state} => {to} of {instance.name}, expected {may} after {instance.state}; "
            "look at it again, somebody may have asked for something else"
        )
    if made is not None:
        instance.made = max(instance.made, made)
    if to in SETTLED:
        calm(instance)
    _set(session, instance, to, now=now, who=who)
    return instance


def fail(session: Session, instance_id: str, why: str, *, token: int, now: datetime, who: str) -> Instance:
    """What was tried went wrong, and is tried again after a while. Deleting stays deleting. LockLost."""
    instance = rows.numbered(session, instance_id)
    present(instance, token, now)
    instance.why = shown(why, LONGEST_WHY)
    instance.retry_at = now + BACKOFF[min(instance.attempts, len(BACKOFF) - 1)]
    instance.attempts += 1
    to = State.DELETING if instance.state is State.DELETING else State.FAILED
    _set(session, instance, to, now=now, who=who, text=instance.why)
    return instance


def forget(session: Session, instance_id: str, *, token: int, now: datetime, quarantine: timedelta, who: str) -> None:
    """Nothing of it is left on its host: its row goes, its ports into quarantine. IllegalMove, LockLost."""
    instance = rows.numbered(session, instance_id)
    present(instance, token, now)
    if instance.state is not State.DELETING:
        raise IllegalMove(
            f"state: {instance.state} of {instance.name}, expected {State.DELETING}; ask for it to be deleted first"
        )
    numbers = release_ports(session, instance, now=now, quarantine=quarantine)
    record(session, instance, at=now, who=who, what="deleted", text=f"ports {', '.join(map(str, numbers)) or 'none'}")
    session.delete(instance)
    session.flush()


def calm(instance: Instance) -> None:
    """Nothing is wrong with it, and the next thing is done at once."""
    instance.why, instance.attempts, instance.retry_at = "", 0, None


def _set(session: Session, instance: Instance, to: State, *, now: datetime, who: str, text: str = "") -> None:
    before, instance.state, instance.changed_at = instance.state, to, now
    record(session, instance, at=now, who=who, what=to, text=text or ("" if before is to else f"{before} => {to}"))
