"""Clocks: how far another one is ahead of ours."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

HALF_A_SECOND = 0.5


def ahead_s(date: str | None, now: float) -> float | None:
    """By how much the clock behind an HTTP `Date` is ahead at `now`; None where there is no readable one."""
    try:
        # it is cut to whole seconds
        return parsedate_to_datetime(date or "").timestamp() + HALF_A_SECOND - now
    except ValueError:
        return None
