"""The files on a companion's disk as it was found: written from readable sources in the encodings of twenty years."""

from __future__ import annotations

import codecs
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

SOURCES = Path(__file__).parent / "tree"
TABLE = Path(__file__).parent / "tree.yaml"
LARGE = "Floor/history.cfg"
_LARGE_LINES = 110_000
_READ_ONLY = b"0x1\0"
"""Samba's note of the attribute, in the oldest of the forms that it reads."""


def write_files(folder: Path, values: Mapping[str, str]) -> None:
    """Make the folder hold exactly the files of the beginning; `values` stand for `@NAME@` in the sources."""
    folder.mkdir(mode=0o755, exist_ok=True)
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    for path, form in table().items():
        _write(folder / path, written(_filled((SOURCES / path).read_text(), values), form))
        if form.get("read_only"):
            (folder / path).chmod(0o444)
            os.setxattr(folder / path, "user.DOSATTRIB", _READ_ONLY)
    _write(folder / LARGE, "".join(_large(values)).encode())


def table() -> dict[str, dict[str, Any]]:
    """How each source is written, by its path."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(TABLE.read_text())
    return found


def written(text: str, form: Mapping[str, Any]) -> bytes:
    """A source's text as bytes on the disk."""
    lines = text.removesuffix("\n").split("\n")
    ends = [_line_end(form.get("lines", "crlf"), at) for at in range(len(lines))]
    if form.get("end") == "none":
        ends[-1] = ""
    encoding = str(form["encoding"])
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}[encoding] if form.get("bom") else b""
    return mark + "".join(line + end for line, end in zip(lines, ends, strict=True)).encode(encoding)


def _line_end(kind: str, at: int) -> str:
    return "\n" if kind == "lf" or (kind == "mixed" and at % 3 == 2) else "\r\n"


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _large(values: Mapping[str, str]) -> Iterator[str]:
    """Six megabytes with one value that matters."""
    for number in range(_LARGE_LINES):
        yield f"event.{number:06} = table {number % 40 + 1} opened and closed by the floor\r\n"
        if number == _LARGE_LINES // 2:
            yield f"history.server = http://{values['ADDRESS']}:5003/history\r\n"


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    file.write_bytes(content)
