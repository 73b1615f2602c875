"""What the engine said, for people; and whose lock it is."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hosting.said import is_held_by_the_dead, last_words, reasons

LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete \
the lock file with `pulumi cancel`.
  file:///srv/state/.pulumi/locks/organization/hypercompose-instances/dev.shop/b1.json: created by {user}@{host} \
(pid {pid}) at 2026-11-26T05:00:00Z"""
HERE = socket.gethostname()


def locked(pid: int, host: str = HERE, user: str = "ops") -> str:
    return LOCKED.format(pid=pid, host=host, user=user)


def dead() -> int:
    gone = subprocess.Popen(["true"])
    gone.wait()
    return gone.pid


@contextmanager
def running(name: str, folder: Path) -> Iterator[int]:
    """A process called like that."""
    sleep = shutil.which("sleep")
    assert sleep is not None
    (folder / name).symlink_to(sleep)
    alive = subprocess.Popen([folder / name, "30"])
    try:
        while not Path(f"/proc/{alive.pid}/cmdline").read_bytes():  # it is on its way to be that program
            time.sleep(0.001)
        yield alive.pid
    finally:
        alive.kill()
        alive.wait()


@pytest.mark.parametrize("user", ["ops", "CORP\\jane doe", "a@b"])
def test_a_lock_of_a_process_that_is_gone_is_a_dead_ones(user: str) -> None:
    assert is_held_by_the_dead(locked(dead(), user=user))


def test_a_lock_of_an_engine_that_runs_is_not(tmp_path: Path) -> None:
    with running("pulumi", tmp_path) as pid:
        assert not is_held_by_the_dead(locked(pid))
        assert not is_held_by_the_dead(f"{locked(dead())}\n{locked(pid)}")


def test_a_process_id_that_something_else_has_by_now_holds_no_lock(tmp_path: Path) -> None:
    assert is_held_by_the_dead(locked(os.getpid()))
    with running("sleepy", tmp_path) as pid:
        assert is_held_by_the_dead(locked(pid))


def test_a_lock_of_another_machine_is_not_judged() -> None:
    assert not is_held_by_the_dead(locked(dead(), host="elsewhere"))
    assert not is_held_by_the_dead(f"{locked(dead())}\n{locked(dead(), host='elsewhere')}")


@pytest.mark.parametrize("said", ["", "the stack is currently locked by 1 lock(s)", "created by me (pid 1)"])
def test_a_lock_that_names_nobody_is_not_judged(said: str) -> None:
    assert not is_held_by_the_dead(said)


def test_reasons_are_told_once_in_one_line_without_what_the_engine_puts_around_them() -> None:
    said = [
        "host: 'x', expected one that\ntakes instances",
        "Exception calling application: host: 'x', expected one that takes instances",
        "an unhandled error occurred: python inline source runtime error: no $(room)\nTraceback (most recent call "
        'last):\n  File "x.py", line 1',
        "update failed",
        "",
    ]
    assert reasons(said) == "host: 'x', expected one that takes instances; no $(room)"
    assert reasons(["update failed"]) == reasons([]) == ""


def test_last_words_are_errors_where_there_are_some_and_never_long() -> None:
    assert last_words("\n a \n\nb\nc\nd\n") == "b | c | d"
    assert last_words("warning: x\nerror: no disk\n code: 255\n") == "error: no disk"
    assert last_words("\n code: 255\n stdout: \n stderr: error: no disk\n") == "error: no disk"
    assert last_words("\n code: -2\n stdout: a\n stderr:\n") == "a"
    assert last_words(" \n") == "the engine said nothing"
    assert len(last_words("error: " + "long " * 1000)) <= 1000
