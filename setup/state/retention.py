"""Which exports stay: the last ones, and one a day for a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Keep:
    """What a site keeps of each stack."""

    last: int = 20
    days: int = 30


DEFAULT = Keep()
"""Where a site does not say."""


def kept(times: Iterable[datetime], now: datetime, keep: Keep) -> set[datetime]:
    """The times that stay: the last `keep.last`, and the last one of each of the past `keep.days` days, in UTC.

    A clock that went back, or a machine that was off for a year, costs nothing: the last ones always stay.
    """
    newest_first = sorted(times, reverse=True)
    of_day = {time.date(): time for time in reversed(newest_first)}
    first_day = (now - timedelta(days=keep.days)).date()
    return {*newest_first[: keep.last], *(time for day, time in of_day.items() if day > first_day)}
