"""What runs a stack on this machine, and where each part of it came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Origin(Enum):
    """Where a part came from, best first."""

    OFFICIAL = "official, found on this machine"
    RELEASE = "official release, checksum verified"
    BUILD = "built here from the pinned public sources"
    STANDIN = "STAND-IN of this project, for the lab only"


@dataclass(frozen=True, kw_only=True)
class Part:
    """The engine, a language host or a plugin."""

    name: str
    origin: Origin
    version: str
    folder: Path | None
    """What must be on PATH for it, or None when the engine finds it by itself."""

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.name} {self.version}: {self.origin.value}"
