"""Reads the engine's event log while it is written."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from setup.progress.events import Run
from setup.progress.words import ongoing, slowest
from setup.report import say

VARIABLE = "PULUMI_OPTION_EVENT_LOG"
HIDDEN = {"PULUMI_DEBUG_COMMANDS": "true"}
"""The engine knows that option only then (measured)."""
TICK_S = 10.0
PAUSE_S = 0.2


class Follower:
    """Takes whole lines from a file that may not be there yet, and speaks up every ten seconds."""

    def __init__(self, file: Path, tell: Callable[[str], None] | None, clock: Callable[[], float]) -> None:
        """`tell` takes lines about what is long; None where the engine's own display shows it."""
        self.run = Run()
        self._file, self._tell, self._clock = file, tell, clock
        self._opened: TextIO | None = None
        self._rest, self._told = "", clock()

    def look(self) -> None:
        """Read what is new."""
        if self._opened is None and self._file.exists():
            self._opened = self._file.open(encoding="utf-8", errors="replace")
        lines = (self._rest + (self._opened.read() if self._opened else "")).split("\n")
        self._rest = lines.pop()
        now = self._clock()
        for line in lines:
            self.run.take(line, now)
        if self._tell and now - self._told >= TICK_S:
            self._told = now
            _tell_all(self._tell, ongoing(self.run, now))

    def close(self) -> None:
        """Read the rest."""
        self.look()
        if self._opened:
            self._opened.close()


@contextmanager
def watched(tell: Callable[[str], None] = say) -> Iterator[dict[str, str]]:
    """Variables for an engine that is to be watched; what it was slow with is told at its end.

    Its events hold values: they are in a folder of the user's own, and gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="hypercompose-events-") as folder:
        file, began, ended = Path(folder) / "events.json", time.monotonic(), threading.Event()
        follower = Follower(file, None if sys.stdout.isatty() else tell, time.monotonic)
        thread = threading.Thread(target=_follow, args=(follower, ended), daemon=True)
        thread.start()
        try:
            yield {VARIABLE: str(file), **HIDDEN}
        finally:
            ended.set()
            thread.join()
            follower.close()
            _tell_all(tell, slowest(follower.run, time.monotonic() - began))


def _tell_all(tell: Callable[[str], None], lines: Iterable[str]) -> None:
    """Whoever listens may have left: that is not to decide how the engine's run ended."""
    with suppress(OSError):
        for line in lines:
            tell(line)


def _follow(follower: Follower, ended: threading.Event) -> None:
    while not ended.wait(PAUSE_S):
        follower.look()
