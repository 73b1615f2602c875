"""Pinned Go builds: what the go.mod and go.sum in this folder say, compiled once, kept in the user's cache."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from setup.cached import digest, made_once
from setup.machine import GO, ensure
from setup.places import CHECKOUT
from setup.process import run_quietly
from setup.report import say, work

Compile = Callable[[Path, Path], None]
"""Compiles the copied sources (first) into the folder that will be kept (second)."""


@dataclass(frozen=True, kw_only=True)
class GoBuild:
    """A program built from `setup/<name>/`."""

    name: str
    version: str
    compile: Compile

    @property
    def sources(self) -> Path:
        """Folder of its go.mod."""
        return CHECKOUT / "setup" / self.name


def built(build: GoBuild, *, because: str) -> Path:
    """Folder that holds the program; compiles it, saying why, when the cache has no build of these very sources."""

    def make(folder: Path) -> None:
        say(f"{build.name}: {because}; built from its public sources instead")
        _make(build, folder)

    return made_once(build.name, key_of(build), make)


def key_of(build: GoBuild) -> str:
    """Changes with the version, and with every source and lock file, by its place and content."""
    files = sorted(f for f in build.sources.rglob("*") if f.suffix in {".go", ".mod", ".sum"})
    return digest([build.version, *(str(f.relative_to(build.sources)) for f in files)], files)


def go_run(*arguments: str, cwd: Path) -> None:
    """Run `go` by our own flags: a person's GOFLAGS or workspace must not change what is built."""
    go = ensure(GO)
    env = {**os.environ, "GOFLAGS": "-mod=readonly", "GOWORK": "off", "GOTOOLCHAIN": "auto"}
    remedy = "If modules could not be downloaded, check that the proxy of `go env GOPROXY` can be reached."
    run_quietly([str(go), *arguments], cwd=cwd, env=env, remedy=remedy)


def _make(build: GoBuild, folder: Path) -> None:
    """Compile in a copy: generated files stay out of the checkout."""
    sources = folder / "src"
    shutil.copytree(build.sources, sources)
    with work(f"{build.name}: building {build.version}"):
        build.compile(sources, folder)
    shutil.rmtree(sources)
