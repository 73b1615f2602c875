"""Missing programs: installed from the distribution where we may, else one sentence that names what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from setup import machine
from setup.machine import DOCKER, GIT, GO, Tool, ensure, find
from setup.report import SetupError
from tests.setup.conftest import program


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it, and no usual folders."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("setup.machine.os.geteuid", lambda: 0)
    return tmp_path


def without_folders(tool: Tool) -> Tool:
    """The tool, if it must be on PATH."""
    return Tool(name=tool.name, package=tool.package, remedy=tool.remedy, minimum=tool.minimum)


@pytest.mark.parametrize("tool", [GIT, DOCKER, GO, machine.SSH])
def test_one_sentence_names_what_to_install(bare: Path, tool: Tool) -> None:
    with pytest.raises(SetupError) as refusal:
        ensure(without_folders(tool))
    sentence = str(refusal.value)
    assert sentence.startswith(f"{tool.name}: not found")
    assert "install" in sentence
    assert "\n" not in sentence


def apt(bare: Path, log: Path, makes: str) -> None:
    """A distribution that can install."""
    program(bare, "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {log}\n[ "$1" = install ] && {makes}\nexit 0\n')


def test_root_on_debian_installs_without_questions(bare: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    apt(bare, log, f"{{ echo > {bare}/git; /bin/chmod 755 {bare}/git; }}")
    assert ensure(GIT) == bare / "git"
    assert log.read_text().splitlines()[-1] == "install -q -y --no-install-recommends git"


def test_nobody_but_root_installs(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt(bare, tmp_path / "log", "true")
    monkeypatch.setattr("setup.machine.os.geteuid", lambda: 1000)
    with pytest.raises(SetupError):
        ensure(GIT)
    assert not (tmp_path / "log").exists()


def test_a_go_too_old_is_not_used_nor_installed(bare: Path, tmp_path: Path) -> None:
    go = without_folders(GO)
    program(bare, "go", "go version go1.19.8 linux/amd64")
    program(bare, "apt-cache", "  Candidate: 2:1.19~1")
    apt(bare, tmp_path / "log", "true")
    with pytest.raises(SetupError, match="too old"):
        ensure(go)
    assert not (tmp_path / "log").exists()


def test_a_newer_go_is_used(bare: Path) -> None:
    program(bare, "go", "go version go1.21.0 linux/amd64")
    assert find(GO) == bare / "go"


def test_what_another_has_installed_meanwhile_is_not_installed_again(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt(bare, tmp_path / "apt.log", "true")

    @contextmanager
    def waited(file: Path, waiting: str) -> Iterator[None]:
        program(bare, "git")
        yield

    monkeypatch.setattr(machine, "locked", waited)
    assert ensure(without_folders(GIT)) == bare / "git"
    assert not (tmp_path / "apt.log").exists()
