"""The NoCloud files a guest finds in its CD drives: read from an ISO, or generated as Proxmox does."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pycdlib
from pycdlib.dr import DirectoryRecord
from pycdlib.pycdlibexception import PyCdlibException

NOCLOUD_FILES = ("user-data", "meta-data", "network-config", "vendor-data")
SHORTEST_NAME = 7
"""Letters of `USER_DAT`, what an ISO without extensions keeps of `user-data`."""


def nocloud_files(path: Path) -> dict[str, bytes] | None:
    """Files of the ISO if it is a NoCloud volume, else None."""
    iso = pycdlib.PyCdlib()
    try:
        iso.open(str(path))
    except PyCdlibException:
        return None
    try:
        label = iso.pvd.volume_identifier.decode(errors="replace").strip()
        return dict(_files(iso)) if label.lower() == "cidata" else None
    finally:
        iso.close()


def _files(iso: pycdlib.PyCdlib) -> Iterator[tuple[str, bytes]]:
    view = _view(iso)
    for child in iso.list_children(**{view: "/"}):
        name = _plain_name(iso, child, view)
        known = _nocloud_name(name)
        if known and child.is_file():
            content = io.BytesIO()
            iso.get_file_from_iso_fp(
                content, **{view: iso.full_path_from_dirrecord(child, rockridge=view == "rr_path")}
            )
            yield known, content.getvalue()


def _view(iso: pycdlib.PyCdlib) -> str:
    if iso.has_rock_ridge():
        return "rr_path"
    return "joliet_path" if iso.has_joliet() else "iso_path"


def _plain_name(iso: pycdlib.PyCdlib, child: DirectoryRecord, view: str) -> str:
    path = str(iso.full_path_from_dirrecord(child, rockridge=view == "rr_path"))
    return path.rpartition("/")[2].partition(";")[0]


def _nocloud_name(name: str) -> str | None:
    letters = re.sub(r"[^a-z]", "", name.lower())
    candidates = (known for known in NOCLOUD_FILES if known.replace("-", "").startswith(letters))
    return next(candidates, None) if len(letters) >= SHORTEST_NAME else None
