"""What the registry holds from the start: which images, from which recipes, and the key that changes with any of it."""

from __future__ import annotations

from pathlib import Path

from lab.images.sources import SUITE
from setup.cached import digest
from setup.places import CHECKOUT

FOLDER = Path(__file__).parent / "images"
"""One folder an image: its Dockerfile; `packages` and `install` where it adds packages to the base tree; `context`
where it copies folders of the checkout; `reference` where it is not called `lab/<folder>:1`."""
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
    files += [file for name in names() for folder in context(name) for file in sources(folder)]
    return digest([SUITE, _LAYOUT, *(f"{file.relative_to(CHECKOUT)}\n{file.read_text()}" for file in files)])


def context(name: str) -> list[str]:
    """Folders of the checkout that an image's Dockerfile finds beside it, under the same paths."""
    file = FOLDER / name / "context"
    return file.read_text().split() if file.exists() else []


def sources(folder: str) -> list[Path]:
    """The files of such a folder, without what Python leaves there."""
    found = (file for file in (CHECKOUT / folder).rglob("*") if file.is_file())
    return sorted(file for file in found if "__pycache__" not in file.parts)


def reference(name: str) -> str:
    """How the image is called in the registry: `lab/probe:1`."""
    file = FOLDER / name / "reference"
    return file.read_text().strip() if file.exists() else f"lab/{name}:{VERSION}"
