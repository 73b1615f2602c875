"""Lines about a run, for a log and for its end."""

from __future__ import annotations

from collections.abc import Iterator

from setup.progress.events import WORDS, Run

LONG_S = 10.0
"""From when on something is long."""
MOST_LINES = 4
SLOWEST = 8
SLOW_S = 1.0


def ongoing(run: Run, now: float) -> Iterator[str]:
    """What has been going on for long, the longest first."""
    long = sorted((d for d in list(run.doing.values()) if now - d.since >= LONG_S), key=lambda d: d.since)
    for one in long[:MOST_LINES]:
        yield f"… {one.place}: {one.said or WORDS[one.operation]} ({now - one.since:.0f} s)"
    if len(long) > MOST_LINES:
        yield f"… and {len(long) - MOST_LINES} more"


def slowest(run: Run, total_s: float) -> Iterator[str]:
    """What took longest; nothing where nothing took long."""
    slow = sorted((f for f in run.finished if f.seconds >= SLOW_S), key=lambda f: -f.seconds)[:SLOWEST]
    if slow:
        yield f"slowest of {len(run.finished)} steps in {total_s:.0f} s:"
    for one in slow:
        yield f"  {one.seconds:5.1f} s  {WORDS[one.operation]} {one.place}"
