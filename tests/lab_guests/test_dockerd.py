"""Which Docker Engine a lab uses, and whose it may stop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import dockerd


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder and no engine named by the environment."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    dockerd.home().mkdir(parents=True)
    yield dockerd.home()


def test_the_engine_a_person_names_is_the_only_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/docker.sock")
    assert dockerd.candidates() == ["unix:///run/user/1000/docker.sock"]


def test_the_systems_engine_comes_before_our_own(cache: Path) -> None:
    assert dockerd.candidates() == ["unix:///var/run/docker.sock", f"unix://{cache}/docker.sock"]


def test_a_stale_pid_file_is_not_taken_for_our_engine(cache: Path) -> None:
    (cache / "docker.pid").write_text(str(os.getpid()))
    assert dockerd.own_pid() is None
    (cache / "docker.pid").write_text("999999999")
    assert dockerd.own_pid() is None


def test_an_engine_that_is_not_ours_is_never_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, reason: int) -> None:
        raise AssertionError(f"signal {reason} to {pid}")

    monkeypatch.setattr("os.kill", refuse)
    assert dockerd.stop_when_idle() is False


def test_our_engine_keeps_everything_in_our_folder(cache: Path) -> None:
    paths = [word.partition("=")[2] for word in dockerd.command() if "root" in word or "pidfile" in word]
    assert len(paths) == 3 and all(path.startswith(str(cache)) for path in paths)


def test_our_engine_is_not_stopped_under_a_lab_that_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = SimpleNamespace(containers=SimpleNamespace(list=list))
    stopped: list[int] = []
    monkeypatch.setattr(dockerd, "own_pid", lambda: None if stopped else 7)
    monkeypatch.setattr(dockerd, "supervisors", lambda: iter(()))
    monkeypatch.setattr(dockerd, "_client", lambda address: nothing)
    monkeypatch.setattr(dockerd, "_stop", stopped.append)
    with dockerd.in_use():
        assert dockerd.stop_when_idle() is False and stopped == []
    assert dockerd.stop_when_idle() is True and stopped == [7]
