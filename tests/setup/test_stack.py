"""Programs are waited for: a pulumi that is killed while it cancels leaves a lock and half-made things."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from setup.stack import is_interrupted, run_to_end


def test_ctrl_c_waits_for_the_program(tmp_path: Path) -> None:
    done = tmp_path / "done"
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    assert run_to_end(["/bin/sh", "-c", f"/bin/sleep 0.5; echo > {done}"], {}) == 0
    assert done.exists()


def test_a_sigterm_is_passed_on(tmp_path: Path) -> None:
    script = f"trap 'echo > {tmp_path}/asked; exit 5' TERM; while :; do /bin/sleep 0.02; done"
    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    assert run_to_end(["/bin/sh", "-c", script], {}) == 5
    assert (tmp_path / "asked").exists()


def test_a_ctrl_c_of_the_terminal_reaches_the_program() -> None:
    assert run_to_end(["/bin/sh", "-c", "kill -INT $$; exit 0"], {}) == -signal.SIGINT


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run_to_end(["/bin/true"], {})
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_what_is_said_arrives(tmp_path: Path) -> None:
    assert run_to_end(["/bin/sh", "-c", f"/bin/cat > {tmp_path}/heard"], {}, "words") == 0
    assert (tmp_path / "heard").read_text() == "words"


@pytest.mark.parametrize(
    ("state", "interrupted"),
    [
        ({}, False),
        ({"deployment": None}, False),
        ({"deployment": {"pending_operations": []}}, False),
        ({"deployment": {"pending_operations": [{"type": "creating"}]}}, True),
    ],
)
def test_the_engines_notes_tell_of_an_interruption(state: dict[str, object], interrupted: bool) -> None:
    assert is_interrupted(state) is interrupted
