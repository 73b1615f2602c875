"""Named volumes of a compose project, copied to another project, on the same host or another."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.errors import ProvisioningError
from provisioning.host import Address
from provisioning.hosts import Hosts
from provisioning.steps.step import Value, assignments

PIECE_BYTES = 4 << 20
"""What of a volume is in our memory at once."""
PIECE_S, WHOLE_S = 120, 3600
_SCRIPT = (Path(__file__).parent / "volumes.sh").read_text()


class VolumesNotCopied(ProvisioningError):
    """The old volumes are as they were; what has begun of a new one is made anew by the next try."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A compose project on a host."""

    address: Address
    name: str


@dataclass(frozen=True)
class _Copy:
    """A volume on its way: what compose files call it, and its names before and after."""

    key: str
    before: str
    after: str


def copy_volumes(hosts: Hosts, old: Project, new: Project) -> None:
    """Give one project what another holds. A volume that the new one has already stays as it is. Volumes with a driver
    or options of their own keep their data elsewhere and are left out. Raises VolumesNotCopied."""
    for copy in _copies(_do(hosts, old, "list"), old, new):
        if _do(hosts, new, "exists", copy).strip() == "yes":
            continue
        size = int(_do(hosts, old, "pack", copy))
        if old.address != new.address:
            for offset in range(0, size, PIECE_BYTES):
                piece = _do(hosts, old, "read", copy, offset=str(offset), size=str(PIECE_BYTES))
                _append(hosts, new, copy, offset, _bytes(old, piece))
        _do(hosts, new, "unpack", copy, size=str(size))
        _do(hosts, old, "forget", copy)


def _copies(listed: str, old: Project, new: Project) -> Iterator[_Copy]:
    for line in filter(None, listed.splitlines()):
        key, before, driver, options = line.rsplit(" ", 3)
        after = f"{new.name}_{key}" if before == f"{old.name}_{key}" else before
        if (driver, options) == ("local", "0") and (old.address, before) != (new.address, after):
            yield _Copy(key, before, after)


def _do(hosts: Hosts, at: Project, what: str, copy: _Copy | None = None, **more: Value) -> str:
    found = copy or _Copy("", "", "")
    names: dict[str, Value] = {"project": at.name, "key": found.key, "volume": found.before, "target": found.after}
    given = {"what": what, **names, "offset": "0", "size": "0", **more}
    body = "\n".join(["set -euo pipefail", *assignments(given), _SCRIPT])
    return _asked(hosts, at, f"hypercompose() {{\n{body}\n}}\nhypercompose </dev/null\n", what, found.before)


def _append(hosts: Hosts, at: Project, copy: _Copy, offset: int, piece: bytes) -> None:
    """The piece follows the program on standard input: the shell reads no further than the line that hands it over."""
    archive = shlex.quote(f"/var/lib/hypercompose/moving/{copy.after}.tar.gz")
    begin = f"umask 077; mkdir -p /var/lib/hypercompose/moving && truncate --size={offset} {archive} || exit 1\n"
    program = f"{begin}exec base64 -d >>{archive}\n{base64.b64encode(piece).decode()}\n"
    _asked(hosts, at, program, "write", copy.before)


def _asked(hosts: Hosts, at: Project, program: str, what: str, volume: str) -> str:
    result = hosts.ask(at.address, program, PIECE_S if what in ("list", "exists", "read", "write") else WHOLE_S)
    if result.exit_code != 0:
        said = " | ".join(result.stderr.strip().splitlines()[-3:]) or "failed without a word"
        raise VolumesNotCopied(f"{at.address.host}: volumes of {at.name}: {what} {volume}: {said}")
    return result.stdout


def _bytes(at: Project, text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise VolumesNotCopied(f"{at.address.host}: volumes of {at.name}: read: {error}") from error
