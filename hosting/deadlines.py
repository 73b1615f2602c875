"""What the deadline of an instance brings, and when. Decides; does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hosting.model import Instance
from hosting.vocabulary import Action, State

AT_REST = frozenset({State.STOPPED, State.FAILED})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How long before and after."""

    warn_before: timedelta = timedelta(days=3)
    grace: timedelta = timedelta(days=7)
    """Between the stop and the end of its data, in which an extension brings everything back."""
    backup_before: timedelta = timedelta(days=1)
    """How long before the end of its data the final backup is made, so that it can be tried again."""
    needs_backup: bool = True
    """Nothing is destroyed without a final backup."""


def action(instance: Instance, policy: Policy, now: datetime) -> Action | None:
    """What is due, if anything. Of what was missed, the last: a stop needs no late warning."""
    deadline = instance.deadline
    if deadline is None or instance.state is State.DELETING:
        return None
    if instance.expired_for == deadline:
        return _after_expiry(instance, policy, now)
    if now >= deadline:
        return Action.STOP
    is_near = now >= deadline - policy.warn_before
    return Action.WARN if is_near and instance.warned_for != deadline else None


def _after_expiry(instance: Instance, policy: Policy, now: datetime) -> Action | None:
    end = instance.destroy_after
    if end is None or instance.state not in AT_REST:
        return None
    if policy.needs_backup and instance.made > 0 and instance.backed_up_at is None:
        return Action.FINAL_BACKUP if now >= end - policy.backup_before else None
    return Action.DESTROY if now >= end else None
