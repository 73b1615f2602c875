"""What service images are made of, fetched in one go: a base tree, packages, and programs used by themselves."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from lab.images.sources import SUITE, guest_sources
from lab.machine import MMDEBSTRAP
from lab.services.recipe import FOLDER, HOOK
from setup.machine import ensure
from setup.report import SetupError, work

OPTIONS = (
    "--variant=minbase",
    "--mode=root",
    "--format=tar",
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)
"""A tree without what no container reads."""


def fetch(folder: Path) -> None:
    """Fill the folder: `base.tar`, `<image>/*.deb`, `usr/bin/docker-registry`, `usr/bin/busybox`."""
    if os.geteuid() != 0:
        raise SetupError("service images: can only be built as root; run the same command with sudo.")
    sources = folder / "sources.list"
    sources.write_text("\n".join(guest_sources()) + "\n")
    command = [
        str(ensure(MMDEBSTRAP)),
        *OPTIONS,
        f"--customize-hook={HOOK}",
        SUITE,
        str(folder / "base.tar"),
        str(sources),
    ]
    env = {**os.environ, "RECIPES": str(FOLDER), "PARTS": str(folder)}
    with work(f"service images: Debian {SUITE} tree and packages"):
        done = subprocess.run(
            command, cwd="/", env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise SetupError(f"service images: mmdebstrap failed; check the distribution's package sources.\n{said}")
