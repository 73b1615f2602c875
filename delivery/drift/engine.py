"""Runs the preview that a drift report is made from. It takes no lock and writes no state."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from delivery.drift.events import Run, gather

DRIFT_VARIABLE = "HYPERCOMPOSE_DRIFT"
"""Makes the native provider go on where something cannot be read, and say so at the resource."""
STREAM_VARIABLE = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW"
PREVIEW = ("pulumi", "preview", "--refresh", "--json", "--non-interactive", "--parallel", "64")
TO_END_S = 10.0
"""What an engine that was asked to end gets for it: a plugin that waits for an answer does not hear."""


@dataclass(frozen=True)
class Ended:
    """What a preview left."""

    run: Run
    code: int
    stderr: str


def preview(stack: str, limit_s: float, command: Sequence[str] = PREVIEW) -> Ended:
    """Compare everything once. What has not answered within `limit_s` stays unread."""
    env = {**os.environ, DRIFT_VARIABLE: "1", STREAM_VARIABLE: "true"}
    child = subprocess.Popen(
        [*command, "--stack", stack],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # so that its plugins can be ended with it
    )
    said: list[str] = []
    beside = threading.Thread(target=lambda: said.extend(child.stderr or ()))
    with _ended_after(child, limit_s) as late:
        beside.start()
        run = gather(child.stdout or ())
        beside.join()
        code = child.wait()
    if late.is_set():
        run.errors.insert(0, f"no answer within {limit_s:.0f} s")
    return Ended(run, code, "".join(said))


@contextmanager
def _ended_after(child: subprocess.Popen[str], limit_s: float) -> Iterator[threading.Event]:
    """End the engine when it is late, and with the block in any case. The event tells whether it was late."""
    over, late = threading.Event(), threading.Event()

    def watch() -> None:
        if not over.wait(limit_s):
            late.set()
            _signal(child, signal.SIGINT)
            if not over.wait(TO_END_S):
                _signal(child, signal.SIGKILL)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield late
    finally:
        over.set()
        watcher.join()
        _signal(child, signal.SIGKILL)
        child.wait()


def _signal(child: subprocess.Popen[str], number: int) -> None:
    """To the engine, and the plugins that it has not put into groups of their own."""
    if child.poll() is None:
        os.killpg(child.pid, number)
