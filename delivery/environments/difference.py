"""Two environments: settings in effect that differ, and what runs where it differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from delivery.environments.catalog import Environment
from delivery.environments.matrix import matrix
from delivery.markdown import code, table

Outputs = Mapping[str, Any]
NOTHING = " "


def difference(a: Environment, b: Environment, running: Mapping[str, Outputs]) -> Iterator[str]:
    """Markdown; `running` holds the outputs of the last `up` by stack name, none for a stack that has not run."""
    yield f"### Settings: {code(a.name)} and {code(b.name)}\n"
    yield from matrix([a, b])
    yield "\n### Running\n"
    here, there = (dict(_versions(running.get(one.name) or {})) for one in (a, b))
    for one in (a, b):
        if not running.get(one.name):
            yield f"{code(one.name)} has not run yet.\n"
    names = [name for name in sorted({*here, *there}) if here.get(name) != there.get(name)]
    if names:
        rows = ([code(name), _said(here, name), _said(there, name)] for name in names)
        yield from table(["what", code(a.name), code(b.name)], rows)
    elif here:
        yield "The same versions run in both."


def _said(versions: Mapping[str, str], name: str) -> str:
    return code(versions[name]) if name in versions else NOTHING


def _versions(outputs: Outputs) -> Iterator[tuple[str, str]]:
    program = outputs.get("program") or {}
    yield from ((f"program {name}", str(value)) for name, value in program.items())
    for name, stack in (outputs.get("stacks") or {}).items():
        yield f"{name} commit", str(stack.get("commit", ""))[:12]
        for service, image in (stack.get("images") or {}).items():
            yield f"{name} {service}", _short(str(image))


def _short(image: str) -> str:
    """A digest is told by its first characters."""
    repository, at, digest = image.partition("@sha256:")
    return f"{repository}{at}{digest[:12]}" if at else image
