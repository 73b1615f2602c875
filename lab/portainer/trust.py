"""Certificates to trust as Go programs find them: one bundle, and every file of the folders in SSL_CERT_DIR."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")


def write_bundle(folder: Path) -> Path:
    """One file with all of them, as git takes it."""
    first = Path(os.environ.get("SSL_CERT_FILE") or SYSTEM)
    folders = [Path(name) for name in os.environ.get("SSL_CERT_DIR", "").split(":") if name]
    more = [file for place in folders for file in sorted(place.glob("*.pem")) if not file.is_relative_to(SYSTEM.parent)]
    texts = [file.read_text(errors="replace") for file in (first, *more) if file.is_file()]
    bundle = folder / "authorities.pem"
    text = "\n".join(texts)
    if not bundle.is_file() or bundle.read_text(errors="replace") != text:
        handle, name = tempfile.mkstemp(dir=folder)  # in one piece: others read it meanwhile
        with os.fdopen(handle, "w") as opened:
            opened.write(text)
        Path(name).replace(bundle)
    return bundle
