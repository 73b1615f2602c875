"""A lock goes only when its process ran here and is gone."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from setup.locks import Lock, is_stale, lock_of, remove_stale_locks
from setup.state.runs import note_run, runs_file
from tests.setup.state.states import lab_session

NOW = datetime.now(UTC).isoformat()


def lock(folder: Path, name: str = "a", **fields: object) -> Path:
    """A lock as the file backend writes it."""
    file = folder / ".pulumi" / "locks" / "organization" / "hypercompose" / "lab" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"pid": dead(), "username": "me", "hostname": socket.gethostname(), **fields}))
    return file


def read(file: Path) -> Lock:
    found = lock_of(file.read_bytes())
    assert found is not None
    return found


def dead() -> int:
    """The id of a process that has ended."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    return gone.pid


def test_a_dead_process_of_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = lock(tmp_path / "state")
    assert [tmp_path / "state" / name for name in remove_stale_locks(lab_session(tmp_path))] == [stale]
    assert not stale.exists()
    assert "removed the lock of a dead process" in capsys.readouterr().err


def test_another_machines_lock_stays(tmp_path: Path) -> None:
    theirs = lock(tmp_path / "state", hostname="elsewhere")
    assert remove_stale_locks(lab_session(tmp_path)) == []
    assert theirs.exists()


def test_a_living_pulumi_keeps_its_lock(tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    (tmp_path / "pulumi").symlink_to(sleep)
    alive = subprocess.Popen([tmp_path / "pulumi", "9"])
    try:
        assert not is_stale(lab_session(tmp_path), read(lock(tmp_path, pid=alive.pid)))
    finally:
        alive.kill()
        alive.wait()


def test_a_process_id_used_again_is_no_lock(tmp_path: Path) -> None:
    assert is_stale(lab_session(tmp_path), read(lock(tmp_path, pid=os.getpid())))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "hostname": "h"}'])
def test_what_is_no_lock_is_not_judged(tmp_path: Path, text: str) -> None:
    file = lock(tmp_path / "state")
    file.write_text(text)
    assert remove_stale_locks(lab_session(tmp_path)) == []
    assert file.exists()


def test_another_stacks_lock_is_not_looked_at(tmp_path: Path) -> None:
    lock(tmp_path / "state")
    assert remove_stale_locks(lab_session(tmp_path, "acceptance")) == []


def test_in_a_bucket_a_namesake_of_this_machine_keeps_its_lock(tmp_path: Path) -> None:
    """Whether the process lives can only be told on the machine that started it."""
    session, theirs = lab_session(tmp_path, backend="s3://state"), read(lock(tmp_path, timestamp=NOW))
    assert theirs.is_dead
    assert not is_stale(session, theirs)
    note_run(session, theirs.pid)
    assert is_stale(session, replace(theirs, since=theirs.since + timedelta(hours=1)))
    assert not is_stale(session, replace(theirs, since=theirs.since - timedelta(hours=1)))


@pytest.mark.parametrize("noted", ["", "[]\n", "{", '{"pid": 1}\n', '"x"\n'])
def test_broken_notes_prove_nothing(tmp_path: Path, noted: str) -> None:
    session = lab_session(tmp_path, backend="s3://state")
    runs_file(session).parent.mkdir(parents=True)
    runs_file(session).write_text(noted)
    assert not is_stale(session, read(lock(tmp_path)))
