"""A share as seen from the host that has it mounted: files are read and replaced there, over SSH."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.companion.on_host import digest_of
from provisioning.companion.places import OURS
from provisioning.errors import ProvisioningError
from provisioning.host import Address
from provisioning.hosts import Hosts

RECORDS = f"{OURS}/links"
LARGEST = 16 << 20
"""Bytes of a file that is still edited."""
TIMEOUT_S = 100
_SOURCE = (Path(__file__).parent / "on_host.py").read_text()
_REMEDIES = {
    "missing": "is not there; check the path, and whether the service is installed on this companion",
    "busy": "is in use on Windows by a program that lets nobody else write, or its rights let nobody; the old file "
    "stands. Close it or stop its service, then run this again",
    "lost": "the old file stands. Run this again, it starts from what is there now",
    "pending": "a program on Windows still reads the old one. Close it, then run this again",
    "full": "the companion's disk is full; the old file stands",
    "away": "the companion does not answer",
}


class ShareError(ProvisioningError):
    """Something on the share could not be read or written. Every file is as it was before or as it was to become."""


class CompanionAway(ShareError):
    """The companion does not answer, or its share is not mounted."""


class HalfDone(ShareError):
    """A change ended on its way: what came before the thing that failed is done."""


@dataclass(frozen=True)
class File:
    """A file as it was read."""

    content: bytes
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was there."""

    files: Mapping[str, File]
    missing: Mapping[str, str]
    """Why a file could not be read, by path."""
    records: Mapping[str, str]
    """Text by path of the records of every link."""

    def file(self, path: str) -> File:
        """One of them. Raises ShareError with why it could not be read."""
        if path not in self.files:
            raise ShareError(f"{path}: {self.missing.get(path, 'was not read')}")
        return self.files[path]


@dataclass
class Changes:
    """What is to be done on a share, in this order; what fails ends it."""

    steps: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def replace(self, path: str, content: bytes, expected: str) -> None:
        """New bytes for a file, where these are still the old ones."""
        self.steps.append(("replace", path, {"content": _packed(content), "expected": expected}))

    def copy(self, path: str, to: str, expected: str) -> None:
        """Keep a file as it is."""
        self.steps.append(("copy", path, {"to": to, "expected": expected}))

    def claim(self, path: str, content: bytes, records: Mapping[str, str]) -> None:
        """A record of our own, where those of others are still the ones that were read."""
        others = {other: text for other, text in records.items() if other != path}
        self.steps.append(("claim", path, {"content": _packed(content), "others": digest_of(others)}))

    def put(self, path: str, content: bytes) -> None:
        """A file of our own."""
        self.steps.append(("put", path, {"content": _packed(content)}))

    def remove(self, path: str) -> None:
        """A file of our own goes."""
        self.steps.append(("remove", path, {}))


@dataclass(frozen=True, kw_only=True)
class Share:
    """`name` is `//host/share`, `mount` where it is."""

    hosts: Hosts
    address: Address
    name: str
    mount: str

    def look(self, files: Iterable[str]) -> Look:
        """Read files, and the records of all links, in one round trip. Raises CompanionAway."""
        request = {"do": "look", "files": sorted(set(files)), "records": RECORDS, "largest": LARGEST}
        answer = self._ask(request)
        found = {path: told for path, told in answer["files"].items() if "content" in told}
        return Look(
            files={path: File(base64.b64decode(told["content"]), told["sha256"]) for path, told in found.items()},
            missing={path: _words(told) for path, told in answer["files"].items() if path not in found},
            records=answer["records"],
        )

    def change(self, changes: Changes) -> Mapping[str, str]:
        """Do it. Returns what there is to say, by path. Raises ShareError at the first thing that fails."""
        answer = self._ask({"do": "change", "changes": changes.steps}) if changes.steps else {}
        notes: Mapping[str, str] = answer.get("notes", {})
        return notes

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        result = self.hosts.ask(self.address, self.program(request), TIMEOUT_S + 20)
        try:
            answer: dict[str, Any] = json.loads(result.stdout)
        except ValueError:
            raise self._silent(result.exit_code, result.stderr) from None
        if failed := answer.get("failed"):
            kind = CompanionAway if failed["kind"] == "away" else ShareError
            kind = HalfDone if answer.get("done") else kind
            raise kind(f"{self.name} on {self.address.host}: {_where(failed)}{_words(failed)}")
        return answer

    def program(self, request: Mapping[str, Any]) -> str:
        """What the host runs: a shell's line that hands over to Python, which reads to the end before it begins."""
        asked = {**request, "mount": self.mount, "share": self.name}
        packed = base64.b64encode(json.dumps(asked).encode()).decode()
        run = f"exec timeout -k 5 {TIMEOUT_S} python3 -I -B -"
        return f'{run}\n{_SOURCE}\n\nmain(json.loads(base64.b64decode("{packed}")))\n'

    def _silent(self, code: int, said: str) -> ShareError:
        if code in (124, 137):
            return CompanionAway(f"{self.name} on {self.address.host}: does not answer within {TIMEOUT_S} s")
        lines = " | ".join(said.strip().splitlines()[-2:]) or f"exit code {code}"
        return ShareError(f"{self.name} on {self.address.host}: {lines}")


def _words(told: Mapping[str, str]) -> str:
    remedy = _REMEDIES.get(told["kind"], "")
    own = "" if told["kind"] in ("missing", "busy", "full") else told["words"]
    return "; ".join(filter(None, [own, remedy]))


def _where(told: Mapping[str, str]) -> str:
    return f"{told['path']}: " if told.get("path") else ""


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()
