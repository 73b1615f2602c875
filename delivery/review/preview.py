"""Reads `pulumi preview --json` and keeps names alone: behind this file there are no values that could be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from delivery.review.redact import Redactor, first_lines

OPERATIONS = {
    "create": "create",
    "update": "update",
    "replace": "replace",
    "create-replacement": "replace",
    "import-replacement": "replace",
    "delete": "delete",
    "import": "import",
}
"""What the engine calls a step, and what is counted; steps that are missing here change nothing by themselves."""


class PreviewError(Exception):
    """What came in is no preview."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one resource."""

    operation: str
    kind: str
    """Last word of its type: `VmLegacy`."""
    name: str
    component_kind: str
    """Of the nearest component above it; of itself where it is one; empty at the top."""
    component: str
    above: str = ""
    """Of a component: name of what it is part of."""
    lives_on: str = ""
    """Name of the VM resource that takes it along when it goes."""
    keys: tuple[str, ...] = ()
    """Paths of properties that differ."""
    removed: tuple[str, ...] = ()
    """Those of them that are taken away."""
    because: tuple[str, ...] = ()
    """Properties that force a replacement."""
    is_protected: bool = False
    keeps_volumes: bool = True

    @property
    def is_component(self) -> bool:
        """Whether it is a component itself."""
        return (self.kind, self.name) == (self.component_kind, self.component)


@dataclass(frozen=True, kw_only=True)
class Digest:
    """One stack's preview, without a single value."""

    stack: str
    site: str = ""
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    errors: tuple[str, ...] = ()
    """First lines of what went wrong, redacted; a preview without any has succeeded."""

    def count(self, operation: str) -> int:
        """How many resources it happens to."""
        return sum(change.operation == operation for change in self.changes)

    def to_json(self) -> str:
        """As `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Digest:
        """Raises PreviewError for anything but a digest."""
        try:
            found = json.loads(text)
            changes = tuple(Change(**{**c, **_tuples(c, "keys", "removed", "because")}) for c in found.pop("changes"))
            return cls(**{**found, **_tuples(found, "errors")}, changes=changes)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise PreviewError("digest: not one of `python -m delivery.review digest`; make it anew") from None


def digest(stack: str, said: str, code: int, redactor: Redactor, site: str = "") -> Digest:
    """What a preview said and how it ended, as names. Noise before its JSON is skipped."""
    found, noise = _json(said)
    errors = tuple(first_lines(_errors(found, noise), redactor)) if code or found is None else ()
    if (code or found is None) and not errors:
        errors = (f"pulumi preview ended with {code} and said nothing of use; `make preview` shows more",)
    if errors:  # what it had planned until then is no plan
        return Digest(stack=stack, site=site, errors=errors)
    steps = [step for step in (found or {}).get("steps") or () if isinstance(step, Mapping)]
    # By URN: other versions of the engine tell a replacement in several steps.
    changes = {str(step["urn"]): _change(step) for step in steps if step.get("op") in OPERATIONS and "urn" in step}
    unchanged = ((found or {}).get("changeSummary") or {}).get("same") or 0
    return Digest(stack=stack, site=site, changes=tuple(changes.values()), unchanged=int(unchanged))


def _json(said: str) -> tuple[Mapping[str, Any] | None, str]:
    """The object in what was said, None where there is none; and what was said around it."""
    starts = [found.start() for found in re.finditer(r"^\{", said, re.MULTILINE)]
    for at in [*starts, *([said.index("{")] if "{" in said else [])]:
        try:
            found, end = json.JSONDecoder().raw_decode(said, at)
        except ValueError:
            continue
        if "steps" in found or "diagnostics" in found:
            return dict(found), said[:at] + said[end:]
    return None, said


def _errors(found: Mapping[str, Any] | None, noise: str) -> Iterator[str]:
    """Texts of what went wrong; where the engine's diagnostics have none, what was said around them."""
    diagnostics = (found or {}).get("diagnostics") or ()
    texts = [str(one.get("message", "")) for one in diagnostics if one.get("severity") == "error"]
    yield from texts or (line for line in noise.splitlines() if not line.startswith("warning:"))


def _change(step: Mapping[str, Any]) -> Change:
    urn, old, new = str(step["urn"]), step.get("oldState") or {}, step.get("newState") or {}
    before, parent = old or new, str((new or old).get("parent") or "")
    is_component = (new or old).get("custom") is False
    kind, name = _of(urn)
    component_kind, component = _of(urn if is_component else parent)
    return Change(
        operation=OPERATIONS[step["op"]],
        kind=kind,
        name=name,
        component_kind=component_kind,
        component=component,
        above=_of(parent)[1] if is_component else "",
        lives_on=_of(str(before.get("deletedWith") or ""))[1],
        keys=_keys(step),
        removed=_removed(step),
        because=_names(step.get("replaceReasons")),
        is_protected=bool(before.get("protect")),
        keeps_volumes=(before.get("inputs") or {}).get("keepVolumes") is not False,
    )


def _keys(step: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths where there are any, else the properties that differ."""
    detailed = step.get("detailedDiff")
    return _names(list(detailed)) if isinstance(detailed, Mapping) and detailed else _names(step.get("diffReasons"))


def _names(found: Any) -> tuple[str, ...]:
    return tuple(sorted({str(name) for name in found})) if isinstance(found, Sequence) else ()


def _removed(step: Mapping[str, Any]) -> tuple[str, ...]:
    detailed = step.get("detailedDiff") or {}
    return _names([path for path, difference in detailed.items() if str(difference.get("kind")).startswith("delete")])


def _of(urn: str) -> tuple[str, str]:
    """Last word of the type, and the name, of `urn:pulumi:stack::project::parent$type::name`; names may hold `::`."""
    parts = urn.split("::", 3)
    if len(parts) < 4:
        return "", ""
    return parts[2].rpartition("$")[2].rpartition(":")[2], parts[3]


def _tuples(found: Mapping[str, Any], *names: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(found.get(name) or ()) for name in names}
