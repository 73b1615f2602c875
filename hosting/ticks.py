"""Whether the clock may be believed: a wall clock that jumps ahead of the monotonic one must not stop everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from hosting.model import Tick

JUMP = timedelta(minutes=5)
STEADY = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Both clocks at one moment."""

    at: datetime
    monotonic_s: float
    boot: str
    """Which start of which machine the monotonic clock counts from, such as /proc/sys/kernel/random/boot_id."""

    @property
    def offset_s(self) -> float:
        """Wall clock minus monotonic clock: as long as it stays, the wall clock only went on."""
        return self.at.timestamp() - self.monotonic_s


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether stops and destroys wait, and why."""

    is_held: bool
    why: str = ""


def tick(session: Session, reading: Reading) -> Verdict:
    """Compare with the last tick, of this process or one before it, and keep this one."""
    last = session.get(Tick, 1, with_for_update=True, populate_existing=True)
    if last is None:
        last = Tick(number=1, offset_s=reading.offset_s, why="")
        session.add(last)
    elif last.boot != reading.boot:
        _other_boot(last, reading)
    else:
        _same_boot(last, reading)
    last.at, last.boot, last.monotonic_s = reading.at, reading.boot, reading.monotonic_s
    session.flush()
    return Verdict(is_held=last.unsteady_since_s is not None, why=last.why)


def _same_boot(last: Tick, reading: Reading) -> None:
    ahead_s = reading.offset_s - last.offset_s
    if ahead_s > JUMP.total_seconds():
        _hold(last, reading, f"clock: jumped {timedelta(seconds=round(ahead_s))} ahead")
    elif ahead_s < -JUMP.total_seconds():
        last.offset_s = reading.offset_s  # what was done is not done again, so going back needs no care
    since = last.unsteady_since_s
    if since is not None and reading.monotonic_s - since >= STEADY.total_seconds():
        last.unsteady_since_s, last.why = None, ""


def _other_boot(last: Tick, reading: Reading) -> None:
    """How long it was off nobody knows, but not less than no time; and a wait does not end by a reboot."""
    last.offset_s = reading.offset_s
    if reading.at < last.at - JUMP:
        _hold(
            last, reading, f"clock: {reading.at:%Y-%m-%d %H:%M} UTC is before the last tick at {last.at:%Y-%m-%d %H:%M}"
        )
    elif last.unsteady_since_s is not None:
        last.unsteady_since_s = reading.monotonic_s


def _hold(last: Tick, reading: Reading, what: str) -> None:
    last.offset_s, last.unsteady_since_s = reading.offset_s, reading.monotonic_s
    minutes = round(STEADY.total_seconds() / 60)
    last.why = (
        f"{what}, expected it to go on with time; stops wait until it was steady for {minutes} minutes, check NTP"
    )
