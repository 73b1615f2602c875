"""What links have claimed on a share, kept there: whoever comes next sees it, whatever became of a state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from provisioning.companion.places import same_file
from provisioning.companion.share import RECORDS, ShareError


class ClaimTaken(ShareError):
    """Another link has the entry."""


@dataclass(frozen=True, kw_only=True)
class Selected:
    """One value in one file: `format` and `at` as `provisioning.config_files` has them."""

    file: str
    format: str
    at: str
    encoding: str = "auto"

    @property
    def told(self) -> str:
        """For people."""
        return f"{self.file} {self.at}"

    @property
    def place(self) -> tuple[str, str]:
        """What two spellings of the same entry have in common."""
        return same_file(self.file), self.at.casefold()


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An entry that is ours to change. The value before us stands in the file's `backup`."""

    selected: Selected
    backup: str
    ours: tuple[str, ...]
    """Hashes of values of ours that may stand there: two while one is on its way to the other."""

    def is_ours(self, value: str) -> bool:
        """Whether a value is one that we wrote."""
        return mark(value) in self.ours


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one service of one link has claimed."""

    owner: str
    """Site, stack and link: `lab/acceptance/app`."""
    service: str
    claims: tuple[Claim, ...] = ()
    restarts: tuple[str, ...] = field(default=())
    """Windows services that have yet to be restarted."""

    @property
    def path(self) -> str:
        """Where it is on the share."""
        return f"{RECORDS}/{self.owner.replace('/', '.')}/{self.service}.json"

    def claim(self, selected: Selected) -> Claim | None:
        """Ours of an entry."""
        return next((claim for claim in self.claims if claim.selected.place == selected.place), None)

    def to_json(self) -> bytes:
        """As it is kept."""
        return (json.dumps({"version": 1, **asdict(self)}, indent=1, ensure_ascii=False) + "\n").encode()


def mark(value: str) -> str:
    """Tells values apart."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def record_of(records: Mapping[str, str], owner: str, service: str) -> Record:
    """Ours; an empty one where there is none."""
    empty = Record(owner=owner, service=service)
    text = records.get(empty.path)
    return empty if text is None else _parsed(empty.path, text)


def refuse_taken(records: Mapping[str, str], ours: Record, wanted: Iterable[Selected]) -> None:
    """Raises ClaimTaken for the first entry that another link, or another service of this one, has."""
    taken: dict[tuple[str, str], tuple[Record, str]] = {}
    for path, text in records.items():
        if path != ours.path:
            other = _parsed(path, text)
            taken |= {claim.selected.place: (other, path) for claim in other.claims}
    for selected in wanted:
        if selected.place in taken:
            other, path = taken[selected.place]
            whose = f"service {other.service} of {'this link' if other.owner == ours.owner else other.owner}"
            raise ClaimTaken(
                f"{selected.told}: {whose} has it; take it out there first. If that one is gone for good, its claim is "
                f"{path} on the share"
            )


def _parsed(path: str, text: str) -> Record:
    try:
        found: dict[str, Any] = json.loads(text)
        claims = [
            Claim(selected=Selected(**each["selected"]), backup=str(each["backup"]), ours=tuple(each["ours"]))
            for each in found["claims"]
        ]
        return Record(
            owner=str(found["owner"]),
            service=str(found["service"]),
            claims=tuple(claims),
            restarts=tuple(found["restarts"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        remedy = "put it right, or remove it: then nothing is claimed by it"
        raise ShareError(f"{path}: is no record of a link ({error}); {remedy}") from error
