"""Clocks that differ break certificates and tokens, and make logs useless."""

from __future__ import annotations

from delivery.preflight.check import About, Check

LARGEST_S = 30.0
TOLD_BY_S = 1  # clocks are told in whole seconds: less than two apart may be the same


def clock(about: About, ahead_s: float | None) -> Check:
    """By how much it is ahead of this machine's."""
    if ahead_s is None:
        return about.unknown("it tells no time")
    seconds = abs(round(ahead_s))
    side = "ahead of" if ahead_s > 0 else "behind"
    detail = f"{seconds} s {side} this machine's" if seconds > TOLD_BY_S else "same as here"
    if seconds > LARGEST_S:
        return about.failed(detail, "set the clock that is wrong: a time server on both (chrony, timedatectl)")
    return about.passed(detail)
