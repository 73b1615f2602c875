"""Size of a disk image file, as a guest would see it."""

from __future__ import annotations

import struct
from pathlib import Path

_QCOW2_MAGIC = b"QFI\xfb"


def virtual_size(path: Path) -> int:
    """Size in the header of a qcow2 file (bytes 24 to 32, big endian); any other file counts as raw."""
    with path.open("rb") as file:
        header = file.read(32)
    return int(struct.unpack(">Q", header[24:32])[0]) if header.startswith(_QCOW2_MAGIC) else path.stat().st_size
