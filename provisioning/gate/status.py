"""How a stack stands: the same words on the host, in the outputs, in the drift report, and as metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provisioning.gate.config import Folders, Gated
from provisioning.gate.engine import Engine, EngineError
from provisioning.gate.state import State, Store, Version
from provisioning.gate.watch import Watch

AS_WANTED, ABSENT = "as wanted", "absent"
NOTHING_THERE = "none of its containers is there; it was stopped, or removed"
CALM = frozenset({AS_WANTED, "prepared", "rolling out", "stopped"})
"""States in which nobody has to do anything."""


def status(folders: Folders, name: str, engine: Engine) -> dict[str, Any]:
    """`state`, `reason`, `asked`, `running`, and what runs: `release`, `images`, `by`, `author`, `since`."""
    stack, state = folders.stack(name), Store(folders.of(name)).load()
    how, reason = _how(stack, state, engine)
    good = state.good
    return {
        "stack": name,
        "state": how,
        "reason": reason,
        "asked": state.asked,
        "running": good.commit if good else "",
        "release": _release(state),
        "images": dict((good or _tried(state) or _NOTHING).images),
        "by": good.by if good else "",
        "author": good.author if good else "",
        "since": state.since,
        "repushed": dict(state.repushed),
    }


def told(found: Mapping[str, Any]) -> str:
    """One line; `as wanted` where nobody has to do anything."""
    if found["state"] in CALM:
        return AS_WANTED
    return f"{found['state']}: {found['reason']}" if found["reason"] else str(found["state"])


def metrics(statuses: Iterable[Mapping[str, Any]], results: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """Lines in Prometheus' text format. Reasons may quote logs, so none is here."""
    yield "# HELP hypercompose_gate_stack_ok 1 where the commit asked for runs, or is on its way."
    yield "# TYPE hypercompose_gate_stack_ok gauge"
    statuses = list(statuses)
    for found in statuses:
        yield f"hypercompose_gate_stack_ok{_labels(stack=found['stack'])} {int(found['state'] in CALM)}"
    yield "# HELP hypercompose_gate_stack_info State, commit asked for, commit that runs."
    yield "# TYPE hypercompose_gate_stack_info gauge"
    for found in statuses:
        named = {key: str(found[key]) for key in ("stack", "state", "asked", "running")}
        yield f"hypercompose_gate_stack_info{_labels(**named)} 1"
    yield "# HELP hypercompose_gate_rollouts_total Releases by how they ended, of those that are remembered."
    yield "# TYPE hypercompose_gate_rollouts_total counter"
    for (name, result), count in sorted(results.items()):
        yield f"hypercompose_gate_rollouts_total{_labels(stack=name, result=result)} {count}"


def _how(stack: Gated, state: State, engine: Engine) -> tuple[str, str]:
    refused = state.refused
    if not stack.running:
        return "stopped", ""
    if state.trying:
        if state.trying.back:
            return "rolling back", state.trying.reason
        return ("rolling out" if state.good and not state.trying.waits else "prepared"), ""
    if state.source_error:
        return "source away", state.source_error
    if refused and refused.commit == state.asked:
        return "refused", f"{refused.commit[:10]}: {refused.reason}{_kept(state)}"
    if state.good is None:
        return "not deployed", ""
    if state.held and state.held == state.asked and state.good.commit != state.asked:
        return "held", f"rolled back to {state.good.commit[:10]} by {state.good.by}"
    if ill := _ill(stack, state.good, engine):
        return (ABSENT if ill == NOTHING_THERE else "degraded"), ill
    if state.repushed:
        tags = ", ".join(f"{service}: {image}" for service, image in sorted(state.repushed.items()))
        return "outdated", f"tags were pushed again: {tags}"
    return AS_WANTED, ""


def _ill(stack: Gated, version: Version, engine: Engine) -> str:
    watch = Watch(engine, stack.name, stack.secrets)
    try:
        watch.look()
    except EngineError as error:
        return str(error)
    if not watch.found:
        return NOTHING_THERE
    starting = ("is starting", "has just started")
    return "; ".join(text for text in watch.missing(version) if not text.endswith(starting))


def _kept(state: State) -> str:
    if state.good is None or state.refused is None:
        return ""
    return f". The version before ({state.good.commit[:10]}) {'runs again' if state.refused.ran else 'keeps running'}"


def _tried(state: State) -> Version | None:
    return state.trying.version if state.trying else None


def _release(state: State) -> str:
    version = _tried(state) or state.good
    return version.release if version else ""


def _labels(**values: str) -> str:
    escaped = {
        key: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for key, value in values.items()
    }
    return "{" + ",".join(f'{key}="{value}"' for key, value in escaped.items()) + "}"


_NOTHING = Version(commit="", author="", subject="", key="", release="", images={}, marks={}, scales={}, tags={}, by="")
