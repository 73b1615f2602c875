"""The commands that a stack would run on its hosts, as `make commands` prints them: rendered, without secrets."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provisioning.steps.facts import NOTES
from provisioning.steps.kinds import BY_NAME
from provisioning.steps.step import MASK, library

TYPE = "hypercompose:host:"
PLACE = frozenset({"connection", "step", "vm", "state", NOTES})
COMMAND = "command:remote:Command"


def main(arguments: Sequence[str]) -> int:
    """Read `pulumi preview --json` from standard input; `--library` prints what all scripts start with as well."""
    said = sys.stdin.read()
    try:
        steps = json.loads(said[said.index("{") :])["steps"]
    except (ValueError, KeyError):
        print(said.strip() or "no preview came in; `make preview` says why", file=sys.stderr)
        return 1
    if "--library" in arguments:
        print("\n".join(library()))
    for line in rendered(steps):
        print(line)
    return 0


def rendered(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A title and the text of each step, in the order of the preview; deleted ones are left out."""
    for step in steps:
        state = step.get("newState") or {}
        kind = str(state.get("type", "")).removeprefix(TYPE)
        if state.get("type") == COMMAND:
            yield from _command(step, state.get("inputs", {}))
        elif kind in BY_NAME and str(state.get("type")).startswith(TYPE):
            yield from _step(step["op"], kind, state.get("inputs", {}))


def _step(operation: str, kind: str, inputs: Mapping[str, Any]) -> Iterator[str]:
    place = inputs.get("connection") or {}
    yield f"# ── {inputs.get('step')} ({kind}) on {_host(place)}: {operation}"
    arguments = {name: _plain(value) for name, value in inputs.items() if name not in PLACE}
    yield BY_NAME[kind].step(str(inputs.get("step")), arguments).masked()
    yield ""


def _command(step: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[str]:
    name = str(step["urn"]).rpartition("::")[2]
    yield f"# ── {name} (a command of yours) on {_host(inputs.get('connection'))}: {step['op']}"
    for name in ("create", "update", "delete"):
        if inputs.get(name):
            yield f"{name}: {_plain(inputs[name])}"
    yield ""


def _host(place: Any) -> str:
    return (
        str(place.get("host") or "a VM that is not there yet") if isinstance(place, Mapping) else "a VM of this stack"
    )


def _plain(value: Any) -> Any:
    """A secret is a marked mapping, or already the engine's own mask."""
    if isinstance(value, Mapping):
        if "4dabf18193072939515e22adb298388d" in value:
            return MASK
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return MASK if value == "[secret]" else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
