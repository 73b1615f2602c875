"""The root tree of every guest: a plain Debian by mmdebstrap, kept as a tar file in the user's cache."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from lab.images.recipe import TREE_HOOK, packages, tree_key
from lab.images.sources import SUITE, guest_sources
from lab.machine import MMDEBSTRAP
from setup.cached import made_once
from setup.machine import ensure
from setup.report import SetupError, work

_OPTIONS = (
    "--variant=minbase",
    "--mode=root",
    "--format=tar",
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)


def root_tree() -> Path:
    """Tar file of the tree, made by the first caller; SetupError names what went wrong."""
    return made_once("guest-tree", tree_key(), _make) / "tree.tar"


def _make(folder: Path) -> None:
    if os.geteuid() != 0:
        raise SetupError("guest images: can only be built as root; run the same command with sudo.")
    mmdebstrap, sources = ensure(MMDEBSTRAP), folder / "sources.list"
    sources.write_text("\n".join(guest_sources()) + "\n")
    command = [
        str(mmdebstrap),
        *_OPTIONS,
        f"--include={','.join(packages())}",
        f"--customize-hook={TREE_HOOK}",
        SUITE,
        str(folder / "tree.tar"),
        str(sources),
    ]
    with work(f"guest images: Debian {SUITE} tree of {len(packages())} packages and what they need"):
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise SetupError(f"guest images: mmdebstrap failed; check the distribution's package sources.\n{said}")
