"""What the registry holds from the start: which images, from which recipes, and the key that changes with any of it."""

from __future__ import annotations

from pathlib import Path

from lab.images.sources import SUITE
from setup.cached import digest

FOLDER = Path(__file__).parent / "images"
"""One folder an image: its Dockerfile, and `packages` and `install` where it adds packages to the base tree."""
HOOK = FOLDER / "hook"
VERSION = "1"
_LAYOUT = "with probe.tar"
"""Changes with what the finished folder holds beside the images."""


def names() -> list[str]:
    """The images, smallest first."""
    found = sorted(file.parent.name for file in FOLDER.glob("*/Dockerfile"))
    return sorted(found, key=lambda name: (FOLDER / name / "packages").exists())


def key() -> str:
    """Hash of all that makes the images."""
    files = sorted(file for file in FOLDER.rglob("*") if file.is_file())
    return digest([SUITE, _LAYOUT, *(f"{file.relative_to(FOLDER)}\n{file.read_text()}" for file in files)])


def reference(name: str) -> str:
    """How the image is called in the registry: `lab/probe:1`."""
    return f"lab/{name}:{VERSION}"
