"""Copies of sparse files that stay sparse."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20


def copy_sparse(source: Path, target: Path) -> None:
    """Copy only what was written; holes stay holes."""
    with source.open("rb") as read, target.open("r+b") as write:
        write.truncate(source.stat().st_size)
        for begin, end in _written_parts(read.fileno()):
            read.seek(begin)
            write.seek(begin)
            while begin < end:
                begin += write.write(read.read(min(CHUNK, end - begin)))


def _written_parts(descriptor: int) -> Iterator[tuple[int, int]]:
    end = 0
    while True:
        try:
            begin = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        end = os.lseek(descriptor, begin, os.SEEK_HOLE)
        yield begin, end
