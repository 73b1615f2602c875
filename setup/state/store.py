"""The states of a site, laid out as the engine does it: checkpoints, locks, and the copies that the engine keeps."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from setup.state.blobs import Blobs, Folder
from setup.state.bucket import Bucket, is_understood

PROJECT = "hypercompose"
ENDINGS = (".json", ".json.gz", ".json.zst")
"""What a checkpoint's name ends with, by how the engine was told to compress it."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """States in a folder or a bucket. Other backends have none: there the engine is asked."""

    blobs: Blobs

    def stacks(self) -> list[str]:
        """Stacks of this project that there are."""
        folder = f".pulumi/stacks/{PROJECT}/"
        names = [name.removeprefix(folder) for name in self.blobs.names(folder)]
        found = {name.removesuffix(end) for name in names for end in ENDINGS if name.endswith(end)}
        return sorted(name for name in found if "/" not in name)

    def checkpoint(self, stack: str) -> bytes | None:
        """The stack's checkpoint as it is kept; None for a stack that is not there."""
        found = (self.blobs.read(f".pulumi/stacks/{PROJECT}/{stack}{end}") for end in ENDINGS)
        return next((content for content in found if content is not None), None)

    def locks(self, stack: str) -> dict[str, bytes]:
        """The locks on a stack: name -> content."""
        names = self.blobs.names(f".pulumi/locks/organization/{PROJECT}/{stack}/")
        read = {name: self.blobs.read(name) for name in names if name.endswith(".json")}
        return {name: content for name, content in read.items() if content is not None}

    def copies(self, stack: str) -> tuple[Iterator[bytes], Iterator[bytes]]:
        """Checkpoints that the engine kept by itself: those after each update, newest first; those before a write."""
        history = self.blobs.names(f".pulumi/history/{PROJECT}/{stack}/")
        after = [name for name in reversed(history) if name.endswith(tuple(f".checkpoint{end}" for end in ENDINGS))]
        before = [f".pulumi/stacks/{PROJECT}/{stack}{end}.bak" for end in ENDINGS]
        return self._read(after), self._read(before)

    def _read(self, names: Iterable[str]) -> Iterator[bytes]:
        return (content for name in names if (content := self.blobs.read(name)) is not None)


def store_at(backend: str, environment: Mapping[str, str]) -> Store | None:
    """The states behind a backend's URL; None where only the engine knows how to read them."""
    if backend.startswith("file://"):
        return Store(blobs=Folder(Path(backend.removeprefix("file://").partition("?")[0])))
    return Store(blobs=Bucket(backend, environment)) if is_understood(backend) else None


def shown(backend: str) -> str:
    """A backend's URL as messages may show it: PostgreSQL's holds a password."""
    url = urlsplit(backend)
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl() if "@" in url.netloc else backend


def plain(content: bytes) -> bytes:
    """A checkpoint without its compression. Raises ValueError where it is cut or compressed in another way."""
    if content.startswith(b"\x28\xb5\x2f\xfd"):
        raise ValueError("it is compressed with zstd, which make cannot read; use PULUMI_DIY_BACKEND_GZIP instead")
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError) as error:
        raise ValueError(f"its compression is broken ({error})") from None
