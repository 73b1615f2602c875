"""exceptions.yaml: which rules a stack need not meet, why, and until when."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from policies.rule import Level, Rule
from provisioning.compose.text import load_compose

FILE = Path(__file__).with_name("exceptions.yaml")
FIELDS = ("rule", "stacks", "resources", "level", "reason", "until")
SHORTEST_REASON = 10


class ExceptionsRefused(Exception):
    """The file cannot be taken as it is: every problem, one line each."""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One exception. `stacks` and `resources` are patterns of names; `until` is its last day."""

    rule: str
    stacks: tuple[str, ...]
    resources: tuple[str, ...]
    level: Level
    reason: str
    until: date

    def covers(self, rule: Rule, stack: str, resource: str) -> bool:
        """Whether it is about this rule at this resource."""
        here = _matches(stack, self.stacks) and _matches(resource, self.resources)
        return self.rule == rule.name and here


@dataclass(frozen=True)
class Exceptions:
    """All of them, on a day."""

    waivers: Sequence[Waiver] = ()
    today: date = date.max

    def level(self, rule: Rule, stack: str, resource: str) -> Level:
        """What a violation means there, the first exception that still counts having the last word."""
        valid = [w.level for w in self.waivers if w.until >= self.today and w.covers(rule, stack, resource)]
        return valid[0] if valid else rule.level

    def ended(self, rule: Rule, stack: str, resource: str) -> Iterator[Waiver]:
        """Those that would have counted, were they not over."""
        yield from (w for w in self.waivers if w.until < self.today and w.covers(rule, stack, resource))


def load_exceptions(rules: Iterable[Rule], file: Path = FILE, today: date | None = None) -> Exceptions:
    """Read the file; none is no exception. Raises ExceptionsRefused."""
    text = file.read_text() if file.exists() else ""
    return Exceptions(parse_exceptions(text, [rule.name for rule in rules], file.name), today or date.today())


def parse_exceptions(text: str, rules: Sequence[str], source: str = FILE.name) -> tuple[Waiver, ...]:
    """The exceptions of a YAML text. Raises ExceptionsRefused with every problem found."""
    try:
        content = load_compose(text) or []
    except yaml.YAMLError as error:
        raise ExceptionsRefused(f"{source}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, list):
        raise ExceptionsRefused(f"{source}: expected a list of exceptions, each with {', '.join(FIELDS)}")
    problems = [f"{source}: [{index}]{line}" for index, entry in enumerate(content) for line in _problems(entry, rules)]
    if problems:
        raise ExceptionsRefused("\n".join(problems))
    return tuple(map(_waiver, content))


def _problems(entry: Any, rules: Sequence[str]) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f": {entry!r}, expected a mapping with {', '.join(FIELDS)}"
        return
    for key in entry:
        if key not in FIELDS:
            yield f".{key}: unknown field; {_nearest(str(key), FIELDS)}"
    if entry.get("rule") not in rules:
        yield f".rule: {entry.get('rule')!r}, expected the name of a rule; {_nearest(str(entry.get('rule')), rules)}"
    for key in ("stacks", "resources"):
        if not _names(entry.get(key, ["*"] if key == "resources" else None)):
            yield f".{key}: {entry.get(key)!r}, expected a list of names or patterns, such as [acceptance, 'casino-*']"
    if entry.get("level") not in (Level.ADVISORY, Level.OFF):
        yield f".level: {entry.get('level')!r}, expected advisory or off"
    if len(str(entry.get("reason") or "")) < SHORTEST_REASON:
        yield f".reason: {entry.get('reason')!r}, expected why, in a sentence"
    if _date(entry.get("until")) is None:
        yield f".until: {entry.get('until')!r}, expected its last day, for example 2027-01-31"


def _nearest(given: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}"


def _names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) and name for name in value)


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _waiver(entry: Mapping[str, Any]) -> Waiver:
    return Waiver(
        rule=entry["rule"],
        stacks=tuple(entry["stacks"]),
        resources=tuple(entry.get("resources", ["*"])),
        level=Level(entry["level"]),
        reason=str(entry["reason"]),
        until=date.fromisoformat(str(entry["until"])),
    )


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
