"""`.venv` follows uv.lock, pyproject.toml and the Python; uv gets the certificates pip was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup import venv
from setup.venv import ensure_uv, ensure_venv, sync_command, uv_environment
from tests.setup.conftest import program


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose uv only counts how often it runs."""
    (tmp_path / "uv.lock").write_text("1")
    (tmp_path / "pyproject.toml").write_text("1")
    monkeypatch.setattr(venv, "CHECKOUT", tmp_path)
    monkeypatch.setattr(venv, "VENV", tmp_path / ".venv")
    script = f'#!/bin/sh\n[ "$1" = --version ] && echo uv 0.13.9 && exit\necho "$@" >> {tmp_path}/log\n'
    program(tmp_path / "bin", "uv").write_text(f"{script}mkdir -p .venv/bin && touch .venv/bin/python\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def runs(project: Path) -> int:
    return len((project / "log").read_text().splitlines())


def test_it_is_made_once(project: Path) -> None:
    assert ensure_venv() == project / ".venv" / "bin" / "python"
    ensure_venv()
    assert runs(project) == 1


@pytest.mark.parametrize("file", ["uv.lock", "pyproject.toml"])
def test_a_changed_lock_brings_it_up_to_date(project: Path, file: str) -> None:
    ensure_venv()
    (project / file).write_text("2")
    ensure_venv()
    assert runs(project) == 2


def test_a_missing_python_makes_it_again(project: Path) -> None:
    ensure_venv().unlink()
    ensure_venv()
    assert runs(project) == 2


def test_uv_on_path_is_used_if_recent(project: Path) -> None:
    assert ensure_uv() == str(project / "bin" / "uv")


def test_the_lock_file_decides_alone() -> None:
    assert sync_command("uv")[:3] == ["uv", "sync", "--frozen"]


def test_uv_trusts_what_pip_was_told_to_trust(tmp_path: Path) -> None:
    own = tmp_path / "own.crt"
    own.touch()
    assert uv_environment({"PIP_CERT": "/ca.crt"})["SSL_CERT_FILE"] == "/ca.crt"
    assert uv_environment({"PIP_CERT": "/ca.crt", "SSL_CERT_FILE": str(own)})["SSL_CERT_FILE"] == str(own)
    assert uv_environment({"PIP_CERT": "/ca.crt", "SSL_CERT_FILE": "/purged"})["SSL_CERT_FILE"] == "/ca.crt"
    assert "SSL_CERT_FILE" not in uv_environment({"SSL_CERT_FILE": "/purged"})


def test_another_activated_environment_is_left_alone() -> None:
    assert "VIRTUAL_ENV" not in uv_environment({"VIRTUAL_ENV": "/another"})


def test_the_lock_file_holds_only_the_public_index() -> None:
    import re

    from setup.places import CHECKOUT

    hosts = set(re.findall(r'"(\w+://[^/"]*)', (CHECKOUT / "uv.lock").read_text()))
    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}
