"""Where state lies: named bytes, in a folder or in something that looks like one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Blobs(Protocol):
    """Named bytes. Names have slashes: `.pulumi/stacks/hypercompose/lab.json`."""

    def read(self, name: str) -> bytes | None:
        """What is there; None where nothing is."""

    def names(self, prefix: str) -> list[str]:
        """All names that start so, sorted."""

    def remove(self, name: str) -> None:
        """Remove it; no error if it is gone."""


class Folder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        """Take the folder that holds `.pulumi`."""
        self._root = root

    def read(self, name: str) -> bytes | None:  # noqa: D102
        try:
            return (self._root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self, prefix: str) -> list[str]:  # noqa: D102
        return sorted(name for name in self._below((self._root / prefix).parent) if name.startswith(prefix))

    def remove(self, name: str) -> None:  # noqa: D102
        (self._root / name).unlink(missing_ok=True)

    def _below(self, folder: Path) -> Iterator[str]:
        if folder.is_dir():
            yield from (file.relative_to(self._root).as_posix() for file in folder.rglob("*") if file.is_file())
