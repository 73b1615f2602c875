"""Runs the preview that a drift report is made from. It takes no lock and writes no state."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

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
        start_new_session=True,  # by which its plugins are found, which it gives groups of their own
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
            child.send_signal(signal.SIGINT)
            if not over.wait(TO_END_S):
                _kill_session(child.pid)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield late
    finally:
        over.set()
        watcher.join()
        if child.poll() is None:  # we end before it, by a signal or an error
            _kill_session(child.pid)
            child.wait()


def _kill_session(session: int) -> None:
    """Kill whatever is left of it: an engine that is killed leaves its plugins behind."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            # after the command's name in parentheses: state, parent, group, session
            if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                os.kill(int(entry.name), signal.SIGKILL)
