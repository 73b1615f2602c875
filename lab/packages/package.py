"""A package before it has a format: what its RPM or its .deb says and holds."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Package:
    """One package in the terms of the format it is for: `release`, `requires` and `scripts` as that writes them."""

    name: str
    version: str
    release: str
    epoch: int = 0
    summary: str
    root: Path | None = None
    """Tree of its files, laid out as in a guest; none for a package of dependencies only."""
    requires: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Shell text by the format's name for it: `post` in an RPM, `postinst` in a .deb."""

    @property
    def evr(self) -> str:
        """Epoch, version and release as both dnf and apt take them: `3:26.1.5-1.el9`."""
        return (f"{self.epoch}:" if self.epoch else "") + f"{self.version}-{self.release}"

    def files(self) -> list[str]:
        """Absolute paths in a guest of all that is no folder."""
        if self.root is None:
            return []
        found = (path for path in self.root.rglob("*") if path.is_symlink() or not path.is_dir())
        return sorted(f"/{path.relative_to(self.root)}" for path in found)

    def size(self) -> int:
        """Bytes of all files."""
        return sum((self.root / path[1:]).lstat().st_size for path in self.files()) if self.root else 0


def is_configuration(path: str) -> bool:
    """Whether an administrator may edit this file, so that an upgrade must not overwrite it."""
    return path.startswith("/etc/")


def upstream(version: str) -> str:
    """The program's own version in Debian's: `26.1.5+dfsg1-9+deb13u1` is 26.1.5."""
    return re.sub(r"^\d+:", "", version).split("-")[0].split("+")[0].split("~")[0]


def place(source: Path, target: Path, *, mode: int | None = None) -> None:
    """A file in a package's tree: linked, since programs are large; copied where it needs another mode."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if mode is None:
        os.link(source, target, follow_symlinks=False)
    else:
        target.write_bytes(source.read_bytes())
        target.chmod(mode)
