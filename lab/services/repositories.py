"""Bare repositories of the lab's git server."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from setup.machine import GIT, ensure
from setup.process import run_quietly
from setup.report import SetupError

CLEAN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/"}
"""Keeps git from the settings of whoever runs the lab."""
_SETTINGS = {
    "http.receivepack": "true",
    "http.uploadpack": "true",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "receive.denyNonFastForwards": "false",
    "receive.autogc": "false",  # nothing runs on behind a push that holds its connection open
    "core.fsync": "none",  # thrown away with the lab; a busy disk would keep a push waiting
}
_AUTHOR = {"NAME": "lab", "EMAIL": "lab@localhost", "DATE": "2000-01-01T00:00:00Z"}
"""Always the same, so that the first commit has the same id in every lab."""


def backend() -> Path:
    """Git's program that a web server runs for each request."""
    found = Path(run_quietly([str(ensure(GIT)), "--exec-path"]).strip()) / "git-http-backend"
    if not found.exists():
        raise SetupError(f"git: {found} is missing on this machine; install all of git.")
    return found


def ensure_repository(root: Path, name: str) -> Path:
    """Repository `<project>/<name>` below `root`, with an empty first commit on `main`; one that is there is kept."""
    folder = root / f"{name}.git"
    if not folder.exists():
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as room:
            made = Path(room) / folder.name
            _make(made)
            made.rename(folder)  # a killed `lab up` leaves nothing that looks finished
    return folder


def _make(folder: Path) -> None:
    git = [str(ensure(GIT)), "-C", str(folder)]
    names = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _AUTHOR.items()}
    env = {"PATH": os.environ.get("PATH", os.defpath), **CLEAN, **names}
    run_quietly([git[0], "init", "-q", "--bare", "--template=", "-b", "main", str(folder)], env=env)
    for setting, value in _SETTINGS.items():
        run_quietly([*git, "config", setting, value], env=env)
    tree = run_quietly([*git, "hash-object", "-w", "-t", "tree", os.devnull], env=env).strip()
    first = run_quietly([*git, "commit-tree", tree, "-m", "Nothing yet"], env=env).strip()
    run_quietly([*git, "update-ref", "refs/heads/main", first], env=env)
