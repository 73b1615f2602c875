"""One worker per instance: a lock that ends when its holder dies, and a token that tells late ones off."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from hosting import rows
from hosting.errors import LockLost
from hosting.model import Instance
from hosting.words import shown


def take(session: Session, instance_id: str, holder: str, *, now: datetime, for_s: float) -> int | None:
    """A token, or None while somebody else holds it."""
    instance = rows.numbered(session, instance_id)
    if instance.lock_until is not None and instance.lock_until > now:
        return None
    instance.lock_token += 1
    instance.lock_holder = shown(holder, 200)
    instance.lock_until = now + timedelta(seconds=for_s)
    return instance.lock_token


def renew(session: Session, instance_id: str, token: int, *, now: datetime, for_s: float) -> None:
    """Hold it for longer. LockLost when it was not held to this moment: somebody else may have been there."""
    instance = rows.numbered(session, instance_id)
    present(instance, token, now)
    instance.lock_until = now + timedelta(seconds=for_s)


def give_back(session: Session, instance_id: str, token: int, *, now: datetime) -> bool:
    """Let others have it; False when it was lost before, which is no fault by now."""
    instance = rows.numbered(session, instance_id)
    if instance.lock_token != token or instance.lock_holder is None:
        return False
    instance.lock_holder = instance.lock_until = None
    return True


def present(instance: Instance, token: int, now: datetime) -> None:
    """LockLost unless the token holds the instance, whose row the caller holds."""
    if instance.lock_token == token and instance.lock_until is not None and instance.lock_until > now:
        return
    now_held = instance.lock_token != token and instance.lock_holder is not None
    raise LockLost(
        f"token: {token} of {instance.name} ({f'{instance.lock_holder} holds it' if now_held else 'it has ended'}), "
        "expected that of the present holder; write nothing more, and take the lock again"
    )
