"""NoCloud volumes for tests."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pycdlib

FILES = {"user-data": b"#cloud-config\n", "meta-data": b"instance-id: one\n", "network-config": b"version: 1\n"}


def iso(
    files: Mapping[str, bytes] = FILES, *, label: str = "cidata", joliet: bool = False, rock_ridge: bool = False
) -> bytes:
    """An ISO with these files; without extensions their names are cut as ISO 9660 level 1 wants it."""
    image = pycdlib.PyCdlib()
    image.new(vol_ident=label, joliet=3 if joliet else None, rock_ridge="1.09" if rock_ridge else None)
    for name, content in files.items():
        short = f"/{name.replace('-', '_').upper()[:8]}.;1"
        rr_name, joliet_path = name if rock_ridge else None, f"/{name}" if joliet else None
        image.add_fp(io.BytesIO(content), len(content), short, rr_name=rr_name, joliet_path=joliet_path)
    out = io.BytesIO()
    image.write_fp(out)
    image.close()
    return out.getvalue()
