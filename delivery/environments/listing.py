"""All stacks as a table: class, site, hosts, version, drift, last update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from delivery.environments.catalog import Environment

HEAD = ("STACK", "CLASS", "SITE", "HOSTS", "VERSION", "DRIFT", "UPDATED")
NEVER = "-"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One stack."""

    stack: str
    environment_class: str
    site: str
    hosts: tuple[str, ...]
    version: str
    """Of the program that made it; `-` before its first `up`."""
    drift: str
    """Verdict of the last report, `-` where there is none."""
    updated: str
    error: str | None


def lines(found: Sequence[Environment], states: Mapping[str, Mapping[str, Any]]) -> list[Line]:
    """`states` by stack: `outputs`, `updated` (ISO time), `error`, `drift` {`verdict`, `at`}; each may be missing."""
    return [_line(one, states.get(one.name) or {}) for one in found]


def text(listed: Sequence[Line], now: datetime) -> Iterator[str]:
    """Columns for a terminal."""
    rows = [HEAD, *(_row(line, now) for line in listed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        yield "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
    for line in listed:
        if line.error:
            yield f"{line.stack}: {_one_line(line.error)}"


def data(listed: Sequence[Line]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [asdict(line) for line in listed]


def _line(one: Environment, state: Mapping[str, Any]) -> Line:
    outputs = state.get("outputs") or {}
    program, drift = outputs.get("program") or {}, state.get("drift") or {}
    version = " ".join(filter(None, [program.get("version"), program.get("commit")]))
    told = f"{drift['verdict']} {drift.get('at', '')}".strip() if drift.get("verdict") else NEVER
    return Line(
        stack=one.name,
        environment_class=one.environment_class or NEVER,
        site=one.site or NEVER,
        hosts=one.hosts(),
        version=version or NEVER,
        drift=told,
        updated=str(state.get("updated") or NEVER),
        error=one.error or state.get("error"),
    )


def _row(line: Line, now: datetime) -> tuple[str, ...]:
    hosts = ", ".join(line.hosts[:3]) + (f" +{len(line.hosts) - 3}" if len(line.hosts) > 3 else "")
    verdict, _, at = line.drift.partition(" ")
    drift = f"{verdict}, {_ago(at, now)}" if at else verdict
    cells = (line.stack, line.environment_class, line.site, hosts, line.version, drift, _ago(line.updated, now))
    return tuple(map(_one_line, cells))


def _ago(said: str, now: datetime) -> str:
    """A time as people tell it; what is no time stays as it is."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return said
    seconds = (now - (at if at.tzinfo else at.replace(tzinfo=UTC))).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "now"


def _one_line(text: str) -> str:
    """No name may move the cursor or forge a line."""
    return "".join(character if character.isprintable() else "·" for character in text)
