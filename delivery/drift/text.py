"""A drift report for people: by host and component, each property as recorded => found."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from delivery.drift.report import Change, Examined, Pending, Report, Status

SITE = "the site"
LONGEST = 240
"""Longer values are cut: a whole compose file is no line."""
NEXT = {
    "update": "puts it back",
    "replace": "REPLACES it",
    "create": "makes it again",
    "delete": "DELETES it",
    "same": "leaves it so",
}
REMEDY = (
    "`make up ARGS=--refresh` does what stands after ->; `make refresh` takes what is there into the state instead."
)


def lines(report: Report) -> Iterator[str]:
    """The whole report; what is clean is counted, not listed."""
    yield from map(_printable, _lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield _title(report)
    for host, found in _by(report.resources, lambda one: one.host):
        told = list(_of_host(found))
        if told:
            yield from ("", f"{host or SITE}", *told)
    if report.pending:
        yield from ("", "Settings not applied yet (no drift; the next `up` does it):")
        yield from map(_pending, report.pending)
    yield from _consequences(report)


def _title(report: Report) -> str:
    drifted, unknown, clean = (report.count(status) for status in (Status.DRIFTED, Status.UNKNOWN, Status.CLEAN))
    properties = "1 property" if report.changes == 1 else f"{report.changes} properties"
    counts = [f"{drifted} drifted ({properties})"] if drifted else []
    counts += [f"{unknown} unknown"] if unknown else []
    verdict = report.verdict.upper() if report.verdict is not Status.CLEAN else report.verdict
    return f"{report.stack} on {report.site}, {report.at}: {verdict}: {', '.join([*counts, f'{clean} clean'])}"


def _of_host(found: Sequence[Examined]) -> Iterator[str]:
    drifted = [one for one in found if one.status is Status.DRIFTED]
    for component, members in _by(drifted, lambda one: one.component):
        yield f"  {component}"
        for one in members:
            yield f"    {one.kind} {one.name} -> {_next(one)}"
            yield from (f"      {_change(change)}" for change in one.changes)
    yield from _unknown([one for one in found if one.status is Status.UNKNOWN])


def _unknown(found: Sequence[Examined]) -> Iterator[str]:
    """One line for each reason: a host that does not answer has the same one for each of its steps."""
    by_reason: dict[str, list[Examined]] = defaultdict(list)
    for one in found:
        by_reason[one.reason].append(one)
    for reason, members in by_reason.items():
        yield f"  UNKNOWN ({_counted(members)}): {_one_line(reason)}"


def _counted(members: Sequence[Examined]) -> str:
    if len(members) == 1:
        return f"{members[0].kind} {members[0].name}"
    return ", ".join(f"{component} {len(group)}" for component, group in _by(members, _of_component))


def _of_component(one: Examined) -> str:
    return one.component or one.kind


def _change(change: Change) -> str:
    if not change.property:
        return f"{change.recorded} => {change.found}"
    return f"{change.property}: {_value(change.recorded)} => {_value(change.found)}"


def _value(value: Any) -> str:
    text = "(not there)" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _next(one: Examined) -> str:
    return NEXT.get(one.next, "what `up` does is not known")


def _pending(one: Pending) -> str:
    properties = f": {', '.join(one.properties)}" if one.properties else ""
    return f"  {one.host or SITE}: {one.kind} {one.name}: {one.operation}{properties}"


def _consequences(report: Report) -> Iterator[str]:
    follows = [one for one in report.resources if one.status is not Status.DRIFTED and one.next not in ("", "same")]
    pending = {one.urn for one in report.pending}
    follows = [one for one in follows if one.urn not in pending]
    if follows:
        yield from ("", "What follows from the drift at the next `up`:")
        for operation, members in _by(sorted(follows, key=lambda one: one.next), lambda one: one.next):
            yield f"  {operation}: {', '.join(f'{one.kind} {one.name}' for one in members)}"
    if report.unplanned:
        yield from ("", f"What the next `up` does is not known: {_one_line(report.unplanned)}")
    elif report.count(Status.DRIFTED):
        yield from ("", REMEDY)


def _by(found: Iterable[Any], key: Any) -> Iterator[tuple[str, list[Any]]]:
    """Groups in the order of their first member."""
    order = list(dict.fromkeys(key(one) for one in found))
    for name, members in groupby(sorted(found, key=lambda one: order.index(key(one))), key=key):
        yield name, list(members)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _printable(line: str) -> str:
    """Values and names come from hosts: none of them may speak to the terminal."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line)
