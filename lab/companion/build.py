"""The image of every companion: a small Debian with Samba and OpenSSH, built when its recipe is new."""

from __future__ import annotations

import os
from pathlib import Path

import docker
from docker.errors import DockerException

from lab.images.build import IMAGE_LABEL, present
from lab.images.sources import SUITE, guest_sources
from lab.machine import MMDEBSTRAP
from lab.services.parts import OPTIONS
from setup.cached import digest, locked, made_once
from setup.machine import ensure
from setup.places import cache_home
from setup.process import run_quietly
from setup.report import SetupError, work

FOLDER = Path(__file__).parent
_PACKAGES = FOLDER / "image" / "packages.txt"
_STAND_IN = FOLDER / "powershell" / "stand_in.py"
_INIT = "/usr/local/sbin/companion-init"
_TREE = "tree.tar"


def ensure_image(client: docker.DockerClient) -> str:
    """Tag of the image; SetupError when it cannot be made."""
    tag = f"hypercompose/companion:{key()}"
    if not present(client, tag):
        cache_home().mkdir(parents=True, exist_ok=True)
        with locked(cache_home() / "companion-image.lock", "companion image: waiting for another lab that builds it"):
            if not present(client, tag):
                _import(client, tag)
    return tag


def key() -> str:
    """Hash of all that makes the image."""
    recipe = [file for file in (FOLDER / "image").iterdir() if file.is_file()]
    return digest([SUITE, *OPTIONS, _INIT], [*recipe, _STAND_IN])


def packages() -> list[str]:
    """Debian packages of the tree."""
    lines = (line.strip() for line in _PACKAGES.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _import(client: docker.DockerClient, tag: str) -> None:
    tree = made_once("companion-tree", key(), _make) / _TREE
    repository, _, version = tag.partition(":")
    changes = [f"LABEL {IMAGE_LABEL}=companion", f'CMD ["{_INIT}"]']
    try:
        with work(f"companion image: importing {tree.stat().st_size >> 20} MiB"):
            client.api.import_image_from_file(str(tree), repository=repository, tag=version, changes=changes)
    except DockerException as error:
        raise SetupError(f"companion image: the Docker Engine refused: {error}") from error


def _make(folder: Path) -> None:
    if os.geteuid() != 0:
        raise SetupError("companion image: can only be built as root; run the same command with sudo.")
    sources = folder / "sources.list"
    sources.write_text("\n".join(guest_sources()) + "\n")
    command = [
        *(str(ensure(MMDEBSTRAP)), *OPTIONS, '--aptopt=APT::Install-Recommends "false"'),
        *(f"--include={','.join(packages())}", f"--customize-hook={FOLDER / 'image' / 'hook'}"),
        *(SUITE, str(folder / _TREE), str(sources)),
    ]
    with work(f"companion image: Debian {SUITE} with Samba"):
        remedy = "Check the distribution's package sources."
        run_quietly(command, cwd=Path("/"), env={**os.environ, "COMPANION": str(FOLDER)}, remedy=remedy)
