"""What the set-up tells a person: one line per piece of work on stderr, one sentence per failure."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class SetupError(Exception):
    """Set-up cannot go on; the text is one sentence that names the remedy."""


def say(line: str) -> None:
    """Print one line for the person who waits; stdout stays free for what a shell evaluates."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def work(what: str) -> Iterator[None]:
    """Name a piece of work while it runs, then how long it took: `engine: building pulumi v3.259.0 … 287 s`."""
    began, over = time.monotonic(), threading.Event()
    print(f"{what} …", end="", file=sys.stderr, flush=True)
    ticker = threading.Thread(target=_tick, args=(what, began, over), daemon=True)
    ticker.start()
    verdict = "failed after "
    try:
        yield
        verdict = ""
    finally:
        over.set()
        ticker.join()
        say(f" {verdict}{time.monotonic() - began:.3g} s")


def _tick(what: str, began: float, over: threading.Event) -> None:
    """Show that long work is alive: seconds on a terminal, a dot each 20 s in a log."""
    terminal = sys.stderr.isatty()
    while not over.wait(1 if terminal else 20):
        sign = f"\r{what} … {time.monotonic() - began:.0f} s\r{what} …" if terminal else "."
        print(sign, end="", file=sys.stderr, flush=True)
