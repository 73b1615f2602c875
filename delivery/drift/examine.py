"""From a stack's state and the engine's events to a report: each resource of the state is unknown until it was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.drift.events import Run, Seen
from delivery.drift.paths import MASK, root, value_at
from delivery.drift.places import Places
from delivery.drift.report import Change, Examined, Pending, Report, Status
from provider.resource import UNREAD
from provider.values import UNKNOWN_TEXT

COMMAND = "command:"
NOT_READ = "the engine did not come to it"
NOTHING_READS = "nothing reads the effect of a command"
PLANNED = {"create-replacement": "replace", "delete-replaced": "replace", "discard-replaced": "replace"}
UNCHANGED = frozenset({"same", "read", "refresh"})
GONE = Change(property="", recorded="there", found="gone")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Which stack a report is about, and when it was made."""

    stack: str
    site: str
    at: str


def report_of(subject: Subject, state: Mapping[str, Any], run: Run) -> Report:
    """The report on all resources of a state (`pulumi stack export`)."""
    resources = (state.get("deployment") or {}).get("resources") or []
    places = Places(resources)
    held = [found for found in resources if _counts(found)]
    return Report(
        stack=subject.stack,
        site=subject.site,
        at=subject.at,
        resources=tuple(_examined(str(found["urn"]), places, run) for found in held),
        pending=tuple(_pending(places, {str(found["urn"]) for found in held}, run)),
        unplanned="" if run.planned else _why_unplanned(run),
    )


def _counts(resource: Mapping[str, Any]) -> bool:
    """Not components and providers, which are in the state only; not what waits to be deleted."""
    own = resource.get("custom") and not str(resource["type"]).startswith("pulumi:providers:")
    return bool(own) and not resource.get("delete")


def _examined(urn: str, places: Places, run: Run) -> Examined:
    seen = run.by_urn.get(urn) or Seen()
    status, reason, changes = _found(urn, seen, run)
    return Examined(
        urn=urn,
        component=places.component(urn),
        kind=places.kind(urn),
        host=places.host(urn),
        status=status,
        reason=reason,
        changes=changes,
        next=_next(seen, status) if run.planned else "",
    )


def _found(urn: str, seen: Seen, run: Run) -> tuple[Status, str, tuple[Change, ...]]:
    unread = [text.removeprefix(UNREAD) for text in seen.warnings if text.startswith(UNREAD)]
    if unread or not seen.was_read:
        return Status.UNKNOWN, next(iter((*unread, *seen.errors, *run.errors)), NOT_READ), ()
    if seen.found is None:
        return Status.DRIFTED, "", (GONE,)
    if changes := tuple(_change(seen, path) for path in seen.drifted if _is_setting(seen, path)):
        return Status.DRIFTED, "", changes
    return Status.CLEAN, NOTHING_READS if Places.type(urn).startswith(COMMAND) else "", ()


def _is_setting(seen: Seen, path: str) -> bool:
    """Whether it is more than a fact that the provider tells beside: the addresses of a VM that does not run."""
    inputs = ((state or {}).get("inputs") or {} for state in (seen.recorded, seen.found))
    return any(root(path) in found for found in inputs)


def _change(seen: Seen, path: str) -> Change:
    """By the inputs, or by the outputs where only those tell it."""
    for part in ("inputs", "outputs"):
        recorded, found = (value_at((state or {}).get(part), path) for state in (seen.recorded, seen.found))
        if recorded != found or MASK in (recorded, found):
            break
    return Change(property=path, recorded=recorded, found=found)


def _next(seen: Seen, status: Status) -> str:
    operation = _operation(seen.operations)
    return "" if status is Status.UNKNOWN and operation == "same" else operation


def _operation(operations: Sequence[str]) -> str:
    done = [PLANNED.get(operation, operation) for operation in operations if operation not in UNCHANGED]
    return "replace" if "replace" in done else (done[-1] if done else "same")


def _pending(places: Places, held: set[str], run: Run) -> Iterator[Pending]:
    """What the program wants otherwise than it was applied. What only follows from drift is not among it."""
    for urn, seen in run.by_urn.items():
        operation = _operation(seen.operations)
        if operation == "same" or not places.is_own(urn):
            continue
        properties = tuple(_wanted_otherwise(seen)) if urn in held else ()
        undeclared = operation == "delete" and seen.found is not None
        if urn not in held or undeclared or properties:
            yield Pending(
                urn=urn,
                component=places.component(urn),
                kind=places.kind(urn),
                host=places.host(urn),
                operation=operation,
                properties=properties,
            )


def _wanted_otherwise(seen: Seen) -> Iterator[str]:
    wanted = (seen.planned or {}).get("inputs")
    for path in dict.fromkeys(seen.planned_paths):
        recorded, planned = value_at(seen.recorded.get("inputs"), path), value_at(wanted, path)
        hidden = planned == recorded == MASK and path not in seen.drifted
        if hidden or (planned != recorded and planned != UNKNOWN_TEXT):
            yield path


def _why_unplanned(run: Run) -> str:
    """The engine makes no plan where a read failed; else the program or a check has said why."""
    unread = sorted(urn.rpartition("::")[2] for urn, seen in run.by_urn.items() if seen.errors and not seen.was_read)
    if unread:
        return f"{', '.join(unread)} could not be read, and the engine makes no plan without"
    told = [f"{urn.rpartition('::')[2]}: {text}" for urn, seen in run.by_urn.items() for text in seen.errors]
    return next(iter((*told, *run.errors)), "the preview did not come to its end")
