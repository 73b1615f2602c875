"""Instances that are not yet as they are wanted: what a worker goes on with, also after a crash of another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, not_, or_, select
from sqlalchemy.orm import Session

from hosting.model import Instance
from hosting.states import BACKOFF
from hosting.vocabulary import Run, State, Todo


def todo(instance: Instance) -> Todo | None:
    """What is to be done, if anything. What is stopped is made anew no sooner than it shall run."""
    if instance.state is State.DELETING:
        return Todo.DELETE
    if instance.run is Run.STOPPED:
        return None if instance.state is State.STOPPED else Todo.STOP
    if instance.made < instance.generation:
        return Todo.CREATE
    return None if instance.state is State.RUNNING else Todo.START


def candidates(session: Session, *, now: datetime, limit: int) -> Sequence[Instance]:
    """Those with something to do, held by nobody, whose wait is over; who waited longest first."""
    found = (
        select(Instance)
        .where(_is_unsettled(), or_(Instance.lock_until.is_(None), Instance.lock_until <= now), _may_be_tried(now))
        .order_by(Instance.changed_at, Instance.id)
        .limit(limit)
    )
    return session.scalars(found).all()


def _is_unsettled() -> ColumnElement[bool]:
    """`todo` in SQL."""
    runs = and_(Instance.state == State.RUNNING, Instance.made == Instance.generation)
    return case((Instance.run == Run.STOPPED, Instance.state != State.STOPPED), else_=not_(runs))


def _may_be_tried(now: datetime) -> ColumnElement[bool]:
    """No wait is longer than the longest: one that seems so was set before the clock went back."""
    return or_(Instance.retry_at.is_(None), Instance.retry_at <= now, Instance.retry_at > now + BACKOFF[-1])
