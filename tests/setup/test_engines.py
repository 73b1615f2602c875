"""Which engine: the person's own, the official release, then a build; ours never passes for official."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from setup import engines
from setup.engines import ensure_engine, parsed
from setup.gobuild import GoBuild
from setup.parts import Origin
from setup.places import cache_home
from tests.setup.conftest import program
from tests.setup.releases_server import content, listing, serving, tar


@pytest.fixture(autouse=True)
def no_build(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is compiled; the reasons to compile are collected. No release can be reached."""
    reasons: list[str] = []

    def built(build: GoBuild, *, because: str) -> Path:
        reasons.append(because)
        return Path("/built")

    monkeypatch.setattr(engines, "built", built)
    monkeypatch.setenv("HYPERCOMPOSE_RELEASES", "http://127.0.0.1:1")
    return reasons


def path(folder: Path) -> dict[str, str]:
    """An environment with that folder on PATH."""
    return {"PATH": f"{folder}{os.pathsep}/usr/bin"}


def test_a_recent_pulumi_on_path_wins(tmp_path: Path, no_build: list[str]) -> None:
    program(tmp_path / "bin", "pulumi", "v3.220.0")
    found = ensure_engine(path(tmp_path / "bin"))
    assert (found.origin, found.version, found.folder) == (Origin.OFFICIAL, "3.220.0", tmp_path / "bin")
    assert no_build == []


def test_its_version_is_asked_once_per_binary(tmp_path: Path) -> None:
    own = program(tmp_path / "bin", "pulumi", "v3.300.0")
    ensure_engine(path(tmp_path / "bin"))
    asked_again = own.stat()
    own.write_text(own.read_text().replace("3.300.0", "3.400.0"))
    os.utime(own, ns=(asked_again.st_atime_ns, asked_again.st_mtime_ns))
    assert ensure_engine(path(tmp_path / "bin")).version == "3.300.0"
    os.utime(own, ns=(1, 1))
    assert ensure_engine(path(tmp_path / "bin")).version == "3.400.0"


def test_an_old_one_is_named_and_passed_over(
    tmp_path: Path, no_build: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path / "bin", "pulumi", "v3.219.9")
    assert ensure_engine(path(tmp_path / "bin")).origin is Origin.BUILD
    assert "3.219.9" in capsys.readouterr().err
    assert len(no_build) == 1


def test_the_release_comes_before_a_build(monkeypatch: pytest.MonkeyPatch, no_build: list[str]) -> None:
    archive, release = tar({"pulumi/pulumi": "#!/bin/sh\n"}), engines.release()
    answers = {release.checksums: content(listing(archive, release.archive)), release.archive: content(archive)}
    with serving(answers) as server:
        monkeypatch.setenv("HYPERCOMPOSE_RELEASES", f"http://127.0.0.1:{server.server_port}")
        found = ensure_engine({"PATH": "/nowhere"})
    assert found.origin is Origin.RELEASE
    assert found.folder is not None
    assert (found.folder / "pulumi").exists()
    assert no_build == []


def test_our_own_build_on_path_is_not_official(no_build: list[str]) -> None:
    folder = cache_home() / "engine" / "abc"
    program(folder, "pulumi", "v3.259.0")
    assert ensure_engine(path(folder)).origin is Origin.BUILD


def test_a_build_says_why(no_build: list[str]) -> None:
    assert ensure_engine({"PATH": ""}).folder == Path("/built")
    assert "could not be had" in no_build[0]


@pytest.mark.parametrize(
    ("said", "version"), [("v3.259.0", (3, 259, 0)), ("3.1.20-dev.0", (3, 1, 20)), ("what?", (0, 0, 0))]
)
def test_versions_as_pulumi_prints_them(said: str, version: tuple[int, int, int]) -> None:
    assert parsed(said) == version


def test_the_build_is_the_version_of_the_locked_sdk() -> None:
    from setup.places import CHECKOUT

    assert f"pulumi=={engines.VERSION}" in (CHECKOUT / "pyproject.toml").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{engines.VERSION}" in (CHECKOUT / "setup/engine/go.mod").read_text()
