"""An engine that is watched ends as it would unwatched: its code, its signals, and nothing of its events is left."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from setup.progress.watch import watched
from setup.stack import run_to_end
from tests.setup.progress.test_progress import CANARY, end, pre

STEP = "vm-1-docker-packages"


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the logs of the engine are put."""
    folder = tmp_path / "events"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def engine(folder: Path, code: int, step_s: float = 1.2) -> list[str]:
    """A `pulumi` that begins a step, ends it in its own time, also when it is asked to stop, and leaves half a line."""
    for name, text in (("pre", pre(STEP)), ("end", end(STEP)), ("half", '{"resourcePreEvent": {"meta')):
        (folder / name).write_text(text + ("" if name == "half" else "\n"))
    file = folder / "pulumi"
    log = '"$PULUMI_OPTION_EVENT_LOG"'
    file.write_text(f"""#!/bin/sh
cd {folder}
ended() {{ /bin/cat end half >>{log}; exit $1; }}
trap '/bin/sleep 1.2; echo >asked; ended 4' INT TERM
/bin/cat pre >>{log}
echo >begun
n=0; while [ $n -lt {int(step_s * 20)} ]; do /bin/sleep 0.05; n=$((n+1)); done
ended {code}
""")
    file.chmod(0o755)
    return [str(file)]


def run(line: list[str], told: Callable[[str], None], started: Callable[[int], None] = lambda pid: None) -> int:
    with watched(told) as variables:
        return run_to_end(line, {**os.environ, **variables}, started=started)


@pytest.mark.parametrize("code", [0, 255])
def test_the_code_is_the_engines_and_its_log_is_gone(tmp_path: Path, events: Path, code: int) -> None:
    told: list[str] = []
    assert run(engine(tmp_path, code), told.append) == code
    assert told[0].startswith("slowest of 1 steps")
    assert STEP in told[1]
    assert CANARY not in "\n".join(told)
    assert list(events.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_engine_that_is_stopped_is_waited_for(tmp_path: Path, events: Path, number: signal.Signals) -> None:
    told: list[str] = []

    def stop_when_begun(pid: int) -> None:
        def stop() -> None:
            while not (tmp_path / "begun").exists():
                time.sleep(0.01)
            time.sleep(0.3)  # until the follower has read of it
            if number is signal.SIGINT:
                os.kill(pid, number)  # as the terminal does; a SIGTERM is for make's process to pass on
            os.kill(os.getpid(), number)

        threading.Thread(target=stop, daemon=True).start()

    assert run(engine(tmp_path, 0, step_s=20), told.append, stop_when_begun) == 4
    assert (tmp_path / "asked").exists()
    assert STEP in told[1]
    assert CANARY not in "\n".join(told)
    assert list(events.iterdir()) == []


def test_a_listener_that_left_does_not_decide_how_it_ended(tmp_path: Path, events: Path) -> None:
    def gone(text: str) -> None:
        raise BrokenPipeError(json.dumps(text))

    assert run(engine(tmp_path, 7), gone) == 7
    assert list(events.iterdir()) == []
