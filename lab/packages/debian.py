"""Packages of a Debian suite, fetched by an apt of our own: from the machine's mirror, without its suite or state."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.images.sources import guest_sources
from setup.process import run_quietly
from setup.report import SetupError


@dataclass(frozen=True)
class Unpacked:
    """A Debian package with its files in a folder."""

    version: str
    root: Path


@dataclass(frozen=True)
class Suite:
    """An apt that knows one suite."""

    name: str
    room: Path

    def fetch(self, packages: Iterable[str]) -> dict[str, Unpacked]:
        """These packages without what they need, unpacked."""
        room = self.room / "unpacked"
        room.mkdir()
        self._apt("download", *packages, cwd=room)
        with ThreadPoolExecutor() as pool:
            return dict(pool.map(_unpack, sorted(room.glob("*.deb"))))

    def fetch_with_needs(self, packages: Iterable[str], into: Path) -> None:
        """Files of these packages and of all they need where the status given to `open_suite` is true."""
        self._apt("install", "--yes", "--download-only", "--no-install-recommends", *packages)
        into.mkdir(parents=True)
        for file in (self.room / "archives").glob("*.deb"):
            file.rename(into / file.name)

    def update(self) -> None:
        """Fetch the suite's list of packages."""
        self._apt("update")

    def _apt(self, *command: str, cwd: Path | None = None) -> None:
        remedy = f"Check that the distribution's package source has Debian {self.name}."
        env = {**os.environ, "APT_CONFIG": str(self.room / "apt.conf"), "LC_ALL": "C.UTF-8"}
        run_quietly(["apt-get", "-q", *command], cwd=cwd, env=env, remedy=remedy)


def open_suite(name: str, room: Path, *, installed: str = "") -> Suite:
    """An apt for the suite, whose state is in `room`; `installed` is dpkg's status file of where packages shall go."""
    for folder in ("state/lists/partial", "archives/partial", "empty"):
        (room / folder).mkdir(parents=True)
    (room / "status").write_text(installed)
    (room / "sources.list").write_text("\n".join(guest_sources(suite=name)) + "\n")
    settings = {
        "Dir::State": room / "state",
        "Dir::State::status": room / "status",
        "Dir::Cache": room,
        "Dir::Cache::archives": room / "archives",
        "Dir::Etc::sourcelist": room / "sources.list",
        "Dir::Etc::sourceparts": room / "empty",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": room / "empty",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "APT::Sandbox::User": "root",
    }
    (room / "apt.conf").write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
    suite = Suite(name, room)
    suite.update()
    return suite


def architecture() -> str:
    """Debian's name for this machine's processor: `amd64`."""
    return run_quietly(["dpkg", "--print-architecture"]).strip()


def installed_in(tree: Path) -> str:
    """dpkg's status file in a root tree kept as a tar file."""
    done = subprocess.run(
        ["tar", "--extract", "--to-stdout", f"--file={tree}", "./var/lib/dpkg/status"], capture_output=True, check=False
    )
    if done.returncode:
        raise SetupError(f"packages: {tree} holds no dpkg status; remove it and run the same command again.")
    return done.stdout.decode()


def _unpack(file: Path) -> tuple[str, Unpacked]:
    root = file.with_suffix("")
    run_quietly(["dpkg-deb", "--extract", str(file), str(root)])
    name, version = run_quietly(["dpkg-deb", "--show", "--showformat=${Package} ${Version}", str(file)]).split()
    return name, Unpacked(version, root)
