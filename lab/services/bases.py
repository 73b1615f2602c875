"""What the project's own images start from here: Debian from this machine's package sources, with apt ready to use."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from lab.images.sources import guest_sources
from lab.machine import MMDEBSTRAP
from lab.services.parts import OPTIONS
from setup.machine import ensure
from setup.report import SetupError, work

SUITES = ("bookworm", "bullseye")
ARCHIVED = ("bullseye",)
"""Their suites for updates and security name packages that mirrors no longer hold; the main suite is whole."""
_BASE = re.compile(r"hypercompose/base-([a-z]+):lab")


def base(suite: str) -> str:
    """The image of a suite, as site files of labs name it."""
    return f"hypercompose/base-{suite}:lab"


def suite_of(image: str) -> str:
    """The suite of such an image. SetupError for another image."""
    found = _BASE.fullmatch(image)
    if found is None or found[1] not in SUITES:
        raise SetupError(f"images/bases: {image!r}, expected one of {', '.join(map(base, SUITES))}.")
    return found[1]


def ensure_base(client: docker.DockerClient, image: str) -> None:
    """The engine has it."""
    try:
        client.images.get(image)
    except ImageNotFound:
        _import(client, image)


def sources(suite: str) -> list[str]:
    """Lines of the sources.list that a suite is installed from."""
    lines = guest_sources(suite=suite)
    return [line for line in lines if f" {suite} " in line] if suite in ARCHIVED else lines


def _import(client: docker.DockerClient, image: str) -> None:
    if os.geteuid() != 0:
        raise SetupError("own images: can only be built as root; run the same command with sudo.")
    suite = suite_of(image)
    with tempfile.TemporaryDirectory() as folder, work(f"own images: Debian {suite} to start from"):
        listed, tree = Path(folder) / "sources.list", Path(folder) / "base.tar"
        listed.write_text("\n".join(sources(suite)) + "\n")
        done = subprocess.run(
            [str(ensure(MMDEBSTRAP)), *OPTIONS, suite, str(tree), str(listed)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = "\n".join(done.stderr.strip().splitlines()[-12:])
            raise SetupError(f"own images: mmdebstrap failed; check the distribution's package sources.\n{said}")
        repository, _, tag = image.partition(":")
        client.api.import_image_from_file(str(tree), repository=repository, tag=tag)
