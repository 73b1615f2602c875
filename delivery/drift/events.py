"""The engine's events of `preview --refresh`, gathered by resource.

The engine reads every resource of the state first, and goes on to the others where one cannot be read (measured; see
docs/adr/0015-drift-from-one-preview.md). Then it runs the program and plans.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ANSWERED = "resOutputsEvent"
BEGUN = "resourcePreEvent"
READING = "refresh"
_SOURCE = re.compile(r"^\S+\.go:\d+: [\w.]+: |: provider=\S+$")


@dataclass
class Seen:
    """What the events tell of one resource."""

    recorded: Mapping[str, Any] = field(default_factory=dict)
    """Its `inputs` and `outputs` before it was read."""
    found: Mapping[str, Any] | None = None
    """The same as they are now; None where it is gone."""
    was_read: bool = False
    drifted: tuple[str, ...] = ()
    """Paths of the properties in which both differ, in the provider's judgement."""
    operations: list[str] = field(default_factory=list)
    """What the plan does to it, in order."""
    planned: Mapping[str, Any] | None = None
    """What the program wants it to be."""
    planned_paths: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass
class Run:
    """What the events tell of a whole run."""

    by_urn: dict[str, Seen] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    """Those that belong to no resource."""
    planned: bool = False
    """Whether it came to its end, with a plan of everything."""

    def at(self, urn: str) -> Seen:
        """Of a resource, new or known already."""
        return self.by_urn.setdefault(urn, Seen())

    @property
    def began(self) -> bool:
        """Whether the engine came as far as to read anything."""
        return any(seen.was_read or seen.errors for seen in self.by_urn.values())


def gather(lines: Iterable[str]) -> Run:
    """Read the events, one JSON object a line; other lines are passed over."""
    run, reading = Run(), set[str]()
    for event in _events(lines):
        if BEGUN in event:
            _begun(run, event[BEGUN]["metadata"], reading)
        elif ANSWERED in event:
            _answered(run, event[ANSWERED]["metadata"], reading)
        elif "diagnosticEvent" in event:
            _told(run, event["diagnosticEvent"])
        elif "summaryEvent" in event:
            run.planned = event["summaryEvent"].get("result") != "failed"
    return run


def _events(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        if line.startswith("{"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            yield event


def _begun(run: Run, step: Mapping[str, Any], reading: set[str]) -> None:
    seen = run.at(step["urn"])
    if step["op"] == READING:
        reading.add(step["urn"])
        seen.recorded = step.get("old") or {}
        return
    seen.operations.append(step["op"])
    seen.planned = step.get("new") or seen.planned
    seen.planned_paths = (*seen.planned_paths, *_paths(step))


def _answered(run: Run, step: Mapping[str, Any], reading: set[str]) -> None:
    if step["urn"] not in reading:
        return
    reading.discard(step["urn"])
    seen = run.at(step["urn"])
    seen.was_read, seen.found, seen.drifted = True, step.get("new"), _paths(step)


def _paths(step: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(step.get("detailedDiff") or step.get("diffs") or ()))


def _plain(text: str) -> str:
    """What was said, without where in a provider's source it was said."""
    lines = [line.strip() for line in text.splitlines()]
    reasons = [line.removeprefix("* ") for line in lines if line.startswith("* ")]
    return _SOURCE.sub("", " ".join(reasons or filter(None, lines)))


def _told(run: Run, said: Mapping[str, Any]) -> None:
    text = _plain(str(said.get("message", "")))
    if said.get("ephemeral") or not text:
        return
    urn, severity = said.get("urn"), said.get("severity")
    if severity == "error":
        (run.at(urn).errors if urn else run.errors).append(text)
    elif severity == "warning" and urn:
        run.at(urn).warnings.append(text)
