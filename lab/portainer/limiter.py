"""Bans an address that logs in more than ten times at once, or then more than once a second."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

AT_ONCE, PER_S = int(os.environ.get("HYPERCOMPOSE_LAB_LOGINS") or 10), 1
BAN_S = float(os.environ.get("HYPERCOMPOSE_LAB_BAN_S") or 3600)


@dataclass
class _Caller:
    tokens: float
    seen: float
    banned_until: float = 0.0


class Limiter:
    """One bucket of tokens an address."""

    def __init__(self) -> None:
        """Nobody is banned at the start."""
        self._callers: dict[str, _Caller] = {}

    def refuses(self, address: str) -> bool:
        """Count one call, and say whether it is too many."""
        now = time.monotonic()
        caller = self._callers.setdefault(address, _Caller(AT_ONCE, now))
        if now < caller.banned_until:
            return True
        caller.tokens = min(AT_ONCE, caller.tokens + (now - caller.seen) * PER_S)
        caller.seen = now
        if caller.tokens < 1:
            caller.banned_until = now + BAN_S
            return True
        caller.tokens -= 1
        return False
