"""Password hashes as the real server stores them. Slow on purpose, so they run beside the event loop."""

from __future__ import annotations

import asyncio

import bcrypt

_NOBODY = b"$2a$10$abcdefghijklmnopqrstuvwx..ABCDEFGHIJKLMNOPQRSTUVWXYZ12"
"""Compared with when there is no such user, so that both refusals take as long."""


async def hashed(password: str) -> str:
    """The bcrypt hash of a password."""
    return await asyncio.to_thread(hash_now, password)


def hash_now(password: str) -> str:
    """The same before there is an event loop."""
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(10, prefix=b"2a")).decode()


async def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the one behind a hash; None stands for an unknown user."""
    return await asyncio.to_thread(_matches, password, (stored or "").encode() or _NOBODY) and stored is not None


def _matches(password: str, stored: bytes) -> bool:
    try:
        return bcrypt.checkpw(password.encode()[:72], stored)
    except ValueError:
        return False
