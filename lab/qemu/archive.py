"""Archives that the kernel takes as its first root: cpio in the form `newc`, which may be joined end to end."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping

_HEAD = "070701" + 13 * "{:08X}"
_TRAILER = "TRAILER!!!"


def packed(files: Mapping[str, tuple[int, bytes]]) -> bytes:
    """Files by path, each with its mode and content; the folders that they are in come with them."""
    folders = {folder: (stat.S_IFDIR | 0o755, b"") for path in files for folder in _folders(path)}
    entries = {
        **dict(sorted(folders.items())),
        **{path: (stat.S_IFREG | mode, body) for path, (mode, body) in files.items()},
    }
    lines = [_entry(at, path, mode, body) for at, (path, (mode, body)) in enumerate(entries.items(), 1)]
    whole = b"".join([*lines, _entry(0, _TRAILER, 0, b"")])
    return whole + bytes(-len(whole) % 512)


def _folders(path: str) -> Iterable[str]:
    """Every folder above a file, without the root."""
    parts = path.split("/")[:-1]
    return ("/".join(parts[: at + 1]) for at in range(len(parts)))


def _entry(number: int, name: str, mode: int, body: bytes) -> bytes:
    raw = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(raw), 0)
    head = _HEAD.format(*fields).encode() + raw
    return head + bytes(-len(head) % 4) + body + bytes(-len(body) % 4)
