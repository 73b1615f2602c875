"""One stack's part of the comment, in four lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from delivery.markdown import amount, code, listed, table
from delivery.review.drift import Drift, DriftedResource
from delivery.review.preview import Change, Digest
from delivery.review.redact import LONGEST
from delivery.review.stake import stakes

WORDS = {"delete": "deleted", "replace": "replaced", "import": "imported", "update": "updated", "create": "created"}
"""In the order in which a reader wants to know."""
GRAVE = ("delete", "replace")
HEAD = ("component", "what", "resources (keys that change)")
NAMED = 3
"""So many resources of a row are named, more of them only where their kinds do not tell them apart."""
ALWAYS = ("create", "update", "replace", "delete")


class Length(IntEnum):
    """How much is told."""

    LINE = 0
    COUNTS = 1
    SHORT = 2
    FULL = 3


_RESOURCES = {Length.COUNTS: 0, Length.SHORT: 3, Length.FULL: 12}
_KEYS = {Length.COUNTS: 0, Length.SHORT: 3, Length.FULL: 10}
_ROWS = {Length.COUNTS: 15, Length.SHORT: 40, Length.FULL: 400}
_POINTS = {Length.COUNTS: 5, Length.SHORT: 10, Length.FULL: 40}


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """A stack's preview, and its drift where that was looked for."""

    digest: Digest
    drift: Drift | None = None

    @property
    def gravity(self) -> int:
        """Order in the comment: what failed, what loses something, what drifted, what changes, the rest."""
        if self.digest.errors:
            return 0
        if any(change.operation in GRAVE for change in self.digest.changes):
            return 1
        if self.drift and self.drift.verdict != "clean":
            return 2
        return 3 if self.digest.changes else 4


def section(reviewed: Reviewed, length: Length) -> str:
    """The part as Markdown, without a line end at its end."""
    return "\n".join(_lines(reviewed, length))


def counts(digests: list[Digest]) -> str:
    """`1 created, 2 updated, **3 replaced**, 0 deleted, 13 unchanged`."""
    told = []
    for operation in ("create", "update", "import", "replace", "delete"):
        number = sum(digest.count(operation) for digest in digests)
        text = f"{number} {WORDS[operation]}"
        if number or operation in ALWAYS:
            told.append(f"**{text}**" if number and operation in GRAVE else text)
    return ", ".join([*told, f"{sum(digest.unchanged for digest in digests)} unchanged"])


def _lines(reviewed: Reviewed, length: Length) -> Iterator[str]:
    digest, drift = reviewed.digest, reviewed.drift
    told = "**The preview failed**" if digest.errors else counts([digest])
    if length is Length.LINE:
        lost = sum(stake.is_lost for stake in stakes(digest))
        more = f", **data lost in {amount(lost, 'place')}**" if lost else ""
        yield f"- {code(digest.stack)}: {told}{more}{f', drift: {_verdict(drift)}' if drift else ''}"
        return
    site = f" on site {code(digest.site)}" if digest.site else ""
    yield from ("", f"### {code(digest.stack)}{site}", "", f"{told}.")
    if digest.errors:
        yield from ("", *(f"- {code(line, LONGEST + 1)}" for line in digest.errors))
    yield from _at_stake(digest, _POINTS[length])
    yield from _table(digest, length)
    yield from _drift(drift, length) if drift else ()


def _at_stake(digest: Digest, most: int) -> Iterator[str]:
    found = stakes(digest)
    if not found:
        return
    yield from ("", "**Data at stake**", "")
    yield from (f"- {stake.text}" for stake in found[:most])
    if len(found) > most:
        lost = sum(stake.is_lost for stake in found[most:])
        yield f"- and {len(found) - most} more, **{lost} of them lost**"


def _table(digest: Digest, length: Length) -> Iterator[str]:
    groups: dict[tuple[bool, str, str, int], list[Change]] = {}
    for change in digest.changes:
        order = (change.operation not in GRAVE, change.component_kind, change.component)
        groups.setdefault((*order, list(WORDS).index(change.operation)), []).append(change)
    ordered = [group for _, group in sorted(groups.items())]
    if ordered:
        shown, hidden = ordered[: _ROWS[length]], ordered[_ROWS[length] :]
        rows = [_row(_steady(group), length) for group in shown]
        yield from ("", *table(HEAD, [*rows, *([_rest(hidden)] if hidden else [])]))


def _rest(groups: list[list[Change]]) -> tuple[str, str, str]:
    """The last row of a table that is cut."""
    numbers = Counter(change.operation for group in groups for change in group)
    told = (f"{numbers[operation]} {word}" for operation, word in WORDS.items() if numbers[operation])
    return f"and {amount(len(groups), 'row')} more", ", ".join(told), ""


def _steady(group: list[Change]) -> list[Change]:
    """In an order that two previews share: the engine's own is that of whoever was faster."""
    return sorted(group, key=lambda change: (not change.is_component, change.kind, change.name))


def _row(group: list[Change], length: Length) -> tuple[str, str, str]:
    first, word = group[0], f"{len(group)} {WORDS[group[0].operation]}"
    kinds = Counter(change.kind for change in group if not change.is_component)
    many = len(group) > NAMED
    resources = [_resource(change, _KEYS[length], is_clear=many and kinds[change.kind] == 1) for change in group]
    return (
        f"{code(first.component_kind)} {code(first.component)}" if first.component_kind else code(first.component),
        f"**{word}**" if first.operation in GRAVE else word,
        listed(resources, _RESOURCES[length]),
    )


def _resource(change: Change, most: int, *, is_clear: bool) -> str:
    """Its kind, its name unless the kind makes it clear, its keys: those that force a replacement in bold."""
    forced = set(change.because) if change.operation == "replace" else set()
    keys = sorted({*change.keys, *(forced - {_root(key) for key in change.keys})})
    told = [_key(key, change, is_forcing=_root(key) in forced) for key in keys]
    if change.is_component:
        name = "itself"
    else:
        name = code(change.kind) if is_clear and not told else f"{code(change.kind)} {code(change.name)}"
    return f"{name} ({listed(told, most)})" if told else name


def _key(key: str, change: Change, *, is_forcing: bool) -> str:
    text = f"{code(key)} removed" if key in change.removed else code(key)
    return f"**{text}**" if is_forcing else text


def _root(path: str) -> str:
    return path.replace("[", ".").split(".")[0]


def _verdict(drift: Drift) -> str:
    if drift.verdict == "clean":
        return "none"
    unknown = f", {drift.unknown} could not be reached" if drift.unknown else ""
    if drift.verdict == "drifted":
        return f"**{amount(drift.changes, 'resource')} changed by somebody else{unknown}**"
    return f"**unknown{unknown}**"


def _drift(drift: Drift, length: Length) -> Iterator[str]:
    at = f" (looked at {code(drift.at, 40)})" if drift.at else ""
    yield from ("", f"Drift{at}: {_verdict(drift)}.")
    if drift.resources and length > Length.COUNTS:
        yield ""
        shown = drift.resources[: _POINTS[length]]
        yield from (_drifted(resource, _KEYS[length]) for resource in shown)
        if len(shown) < len(drift.resources):
            yield f"- and {len(drift.resources) - len(shown)} more"


def _drifted(resource: DriftedResource, most: int) -> str:
    told = "not reached" if resource.is_unknown else listed([code(name) for name in resource.properties], most)
    place = f"{code(resource.component)} " if resource.component else ""
    return f"- {place}{code(resource.name)}: {told or 'changed'}"
