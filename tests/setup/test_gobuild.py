"""What a Go build is keyed by, and what it is run with."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup import gobuild, machine
from setup.gobuild import GoBuild, built, go_run, key_of
from setup.places import cache_home
from tests.setup.conftest import program


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoBuild:
    """A build whose "compiler" copies a source."""
    sources = tmp_path / "setup" / "thing"
    (sources / "sub").mkdir(parents=True)
    for name in ("go.mod", "go.sum", "sub/main.go"):
        (sources / name).write_text(name)
    monkeypatch.setattr(gobuild, "CHECKOUT", tmp_path)

    def compile_(copied: Path, into: Path) -> None:
        (copied / "generated").touch()
        (into / "program").write_text((copied / "sub" / "main.go").read_text())

    return GoBuild(name="thing", version="thing v1", compile=compile_)


def test_it_is_compiled_in_a_copy_and_kept(build: GoBuild) -> None:
    folder = built(build, because="no release")
    assert [f.name for f in folder.iterdir()] == ["program"]
    assert folder.parent == cache_home() / "thing"
    assert not (build.sources / "generated").exists()
    assert built(build, because="") == folder


@pytest.mark.parametrize("change", ["go.mod", "go.sum", "sub/main.go", "sub/new.go"])
def test_every_source_and_lock_file_counts(build: GoBuild, change: str) -> None:
    before = key_of(build)
    (build.sources / change).write_text("changed")
    assert key_of(build) != before


def test_moving_a_source_counts(build: GoBuild) -> None:
    before = key_of(build)
    (build.sources / "sub" / "main.go").rename(build.sources / "main.go")
    assert key_of(build) != before


def test_a_persons_goflags_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = program(tmp_path, "go")
    go.write_text(
        '#!/bin/sh\ncase $1 in version) echo go version go1.26.0 x;; *) echo "$GOFLAGS|$GOWORK" > out;; esac\n'
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("GOFLAGS", "-mod=mod -tags=surprise")
    monkeypatch.setenv("GOWORK", "/somewhere/go.work")
    go_run("build", cwd=tmp_path)
    assert (tmp_path / "out").read_text() == "-mod=readonly|off\n"
    assert machine.find(machine.GO) == go
