"""The exports of a stack on this machine: whole files for their owner alone, each of a state that was sound."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from setup.report import SetupError
from setup.state.checkpoint import Checkpoint, Owner, Unreadable, read
from setup.state.retention import DEFAULT, Keep, kept

STACK = re.compile(r"[A-Za-z0-9_.-]{1,100}")
FORMAT = "%Y%m%dT%H%M%S.%fZ"


def now() -> datetime:
    """The time, as names of exports carry it."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A folder of exports, named by their time in UTC: `20261125T170335.123456Z.json`."""

    folder: Path
    keep: Keep = DEFAULT
    clock: Callable[[], datetime] = now

    @classmethod
    def of(cls, exports: Path, stack: str, keep: Keep) -> Archive:
        """The archive of a stack below the site's folder of exports."""
        if not STACK.fullmatch(stack) or set(stack) == {"."}:
            raise SetupError(f"STACK={stack!r}: a stack's name has letters, digits, `-`, `_` and `.` only.")
        return cls(folder=exports / stack, keep=keep)

    def times(self) -> dict[datetime, Path]:
        """Every export by its time, newest first."""
        found = {time: file for file in self.folder.glob("*.json") if (time := _time_of(file))}
        return dict(sorted(found.items(), reverse=True))

    def last_good(self, owner: Owner) -> tuple[Path, Checkpoint] | None:
        """The newest export that can be restored."""
        judged = ((file, *judge(file, owner)) for file in self.times().values())
        return next(((file, found) for file, found, reason in judged if found and not reason), None)

    def add(self, checkpoint: Checkpoint) -> Path | None:
        """Export a sound state, unless the newest export holds the same; then drop what need not be kept."""
        newest = next(iter(self.times().values()), None)
        if newest is None and not checkpoint.resources:
            return None  # a stack that never ran
        if newest is not None and _holds(newest, checkpoint):
            return None
        file = self._exported(checkpoint, self._after(newest))
        self._prune()
        return file

    def add_copy(self, checkpoint: Checkpoint) -> Path:
        """Export a state that was found elsewhere, under the time at which it was written."""
        return self._exported(checkpoint, checkpoint.written)

    def _after(self, newest: Path | None) -> datetime:
        """The time; just after the newest export where the clock was put back: the newest is the one to restore."""
        last = newest and _time_of(newest)
        return max(self.clock(), last + timedelta(microseconds=1)) if last else self.clock()

    def _exported(self, checkpoint: Checkpoint, time: datetime) -> Path:
        content = json.dumps(checkpoint.export).encode()  # indented it takes three times as long
        return self._written(self.folder / f"{time.strftime(FORMAT)}.json", content)

    def put_aside(self, content: bytes) -> Path:
        """Keep bytes that are about to be replaced, whatever they are."""
        return self._written(self.folder / "replaced" / f"{self.clock().strftime(FORMAT)}.checkpoint", content)

    def _prune(self) -> None:
        times = self.times()
        stay = kept(times, self.clock(), self.keep)
        for time, file in times.items():
            if time not in stay:
                file.unlink(missing_ok=True)

    def _written(self, file: Path, content: bytes) -> Path:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_whole(file, content)
        except OSError as error:
            raise SetupError(f"{file.parent}: the state could not be exported there ({error.strerror}).") from None
        return file


def judge(file: Path, owner: Owner) -> tuple[Checkpoint | None, str | None]:
    """What an export holds, and why it cannot be restored; None where it can."""
    try:
        found = read(file.read_bytes())
    except OSError as error:
        return None, f"it cannot be read ({error.strerror})"
    except Unreadable as reason:
        return None, str(reason)
    return found, next(found.faults(owner), None)


def _holds(file: Path, checkpoint: Checkpoint) -> bool:
    try:
        return read(file.read_bytes()).is_same_as(checkpoint)
    except (OSError, Unreadable):
        return False


def _time_of(file: Path) -> datetime | None:
    try:
        return datetime.strptime(file.name.removesuffix(".json"), FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _write_whole(file: Path, content: bytes) -> None:
    """All of it under its name, or nothing, also when the power goes."""
    handle, room = tempfile.mkstemp(prefix=".writing-", dir=file.parent)  # 0600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(room).rename(file)
    finally:
        Path(room).unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
