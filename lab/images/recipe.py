"""What a guest image is made from, and the tag that changes whenever any of it does."""

from __future__ import annotations

from pathlib import Path

from lab.images.sources import SUITE
from lab.packages.signing import signing_keys
from setup.cached import digest

NAMES = ("rocky-9", "debian-13")
FOLDER = Path(__file__).parent
CONTEXT = FOLDER / "guest"
"""Folder of the Dockerfile and of most that it copies."""
TREE_HOOK = FOLDER / "tree-hook"
_PACKAGES = FOLDER / "packages.txt"


def packages() -> list[str]:
    """Debian packages of the root tree."""
    lines = (line.strip() for line in _PACKAGES.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def tree_key() -> str:
    """Hash of all that makes the root tree."""
    return digest([SUITE], [_PACKAGES, TREE_HOOK])


def tree_tag() -> str:
    """Image of the plain root tree."""
    return f"hypercompose/guest-tree:{tree_key()}"


def image_tag(name: str) -> str:
    """Image of a template, by the name the site file gives it."""
    return f"hypercompose/{name}:{digest([tree_key()], context_files())}"


def context_files() -> list[Path]:
    """What a guest image is built from: the files of the recipe, and the key that signs the distribution's packages."""
    return [*CONTEXT.iterdir(), signing_keys()["base"].public]
