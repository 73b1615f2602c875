"""A lock goes only when its process ran here and is gone."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from setup.locks import is_stale, remove_stale_locks


def lock(folder: Path, name: str = "a", **fields: object) -> Path:
    """A lock as the file backend writes it."""
    file = folder / ".pulumi" / "locks" / "organization" / "hypercompose" / "lab" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"pid": dead(), "username": "me", "hostname": socket.gethostname(), **fields}))
    return file


def dead() -> int:
    """The id of a process that has ended."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    return gone.pid


def test_a_dead_process_of_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = lock(tmp_path)
    assert remove_stale_locks(f"file://{tmp_path}", "lab") == [stale]
    assert not stale.exists()
    assert "removed the lock of a dead process" in capsys.readouterr().err


def test_another_machines_lock_stays(tmp_path: Path) -> None:
    theirs = lock(tmp_path, hostname="elsewhere")
    assert remove_stale_locks(f"file://{tmp_path}", "lab") == []
    assert theirs.exists()


def test_a_living_pulumi_keeps_its_lock(tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    (tmp_path / "pulumi").symlink_to(sleep)
    alive = subprocess.Popen([tmp_path / "pulumi", "9"])
    try:
        assert not is_stale(lock(tmp_path, pid=alive.pid))
    finally:
        alive.kill()
        alive.wait()


def test_a_process_id_used_again_is_no_lock(tmp_path: Path) -> None:
    assert is_stale(lock(tmp_path, pid=os.getpid()))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "hostname": "h"}'])
def test_what_is_no_lock_is_not_judged(tmp_path: Path, text: str) -> None:
    file = lock(tmp_path)
    file.write_text(text)
    assert not is_stale(file)


def test_another_stacks_lock_is_not_looked_at(tmp_path: Path) -> None:
    lock(tmp_path)
    assert remove_stale_locks(f"file://{tmp_path}", "acceptance") == []


def test_a_bucket_is_left_alone() -> None:
    assert remove_stale_locks("s3://state", "lab") == []
