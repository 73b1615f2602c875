"""Files by which an environment is reached over TLS: those of its creation, and those uploaded later."""

from __future__ import annotations

from pathlib import Path

from lab.portainer import defaults
from lab.portainer.replies import invalid
from lab.portainer.routing import Call
from lab.portainer.store import Record

FIELDS = {"TLSCACertFile": "ca", "TLSCertFile": "cert", "TLSKeyFile": "key"}


def config(call: Call, number: int, form: dict[str, str], files: dict[str, bytes]) -> Record:
    """The TLSConfig of a new environment. 400 for a file that is missing."""
    if form.get("TLS") != "true":
        return defaults.NO_TLS
    for field, kind in FIELDS.items():
        if field not in files:
            raise invalid(
                f"Invalid {'CA certificate' if kind == 'ca' else kind} file. Ensure that the file is uploaded correctly"
            )
        keep(call, str(number), kind, files[field])
    return stored(call, number)


def keep(call: Call, folder: str, kind: str, content: bytes) -> None:
    """Write one file of an environment."""
    place = _folder(call, folder)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = place / f"{kind}.pem"
    file.touch(mode=0o600)
    file.write_bytes(content)


def stored(call: Call, number: int) -> Record:
    """A TLSConfig of the files that are there."""
    place = _folder(call, str(number))
    paths = {"TLSCACert": "ca", "TLSCert": "cert", "TLSKey": "key"}
    return {"TLS": True, "TLSSkipVerify": False, **{name: str(place / f"{kind}.pem") for name, kind in paths.items()}}


def _folder(call: Call, name: str) -> Path:
    if not name.isalnum():
        raise invalid("Invalid query parameter: folder")
    return call.server.data / "tls" / name
