"""`make stacks|matrix|diff|new-stack`: over all environments of the checkout, with what their states say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from setup.exports import read_exports
from setup.places import CHECKOUT
from setup.report import SetupError
from setup.sites import Site, read_site, site_of, stack_names
from setup.state.checkpoint import Unreadable, read
from setup.state.store import Store, store_at

STACK_TYPE = "pulumi:pulumi:Stack"
COMMAND = [sys.executable, "-m", "delivery.environments"]
READERS = 16
"""Checkpoints that are read at once: a bucket answers each in tens of milliseconds."""


def stacks(arguments: Sequence[str]) -> int:
    """List all stacks, those named by STACKS, or on SITE instead of each one's own."""
    return _run("stacks", _names(), *arguments, said=_states)


def matrix(arguments: Sequence[str]) -> int:
    """The table of what differs between all environments, or those named by STACKS."""
    return _run("matrix", _names(), *arguments)


def diff(arguments: Sequence[str]) -> int:
    """Settings and running versions of A and B."""
    a, b = (_wanted(name, "make diff A=acceptance B=integration") for name in ("A", "B"))
    return _run("diff", f"--a={a}", f"--b={b}", *arguments, said=lambda: _states([a, b]))


def new_stack(arguments: Sequence[str]) -> int:
    """Write Pulumi.<NAME>.yaml from Pulumi.<FROM>.yaml."""
    example = "make new-stack NAME=casino-x FROM=acceptance [SITE=…] [CLASS=client] [BRIDGE=…]"
    name, source = (_wanted(variable, example) for variable in ("NAME", "FROM"))
    more = (f"--{option}={os.environ.get(option.upper(), '')}" for option in ("site", "class", "bridge"))
    return _run("new-stack", f"--name={name}", f"--from={source}", *more, *arguments)


COMMANDS = {"stacks": stacks, "matrix": matrix, "diff": diff, "new-stack": new_stack}


def states(wanted: Sequence[str], site: str = "") -> dict[str, dict[str, Any]]:
    """What the states and the last drift reports say of stacks: `outputs`, `updated`, `error`, `drift`."""
    by_site: dict[str, list[str]] = {}
    found: dict[str, dict[str, Any]] = {}
    for stack in wanted:
        try:
            by_site.setdefault(site or site_of(stack), []).append(stack)
        except SetupError as problem:
            found[stack] = {"error": str(problem)}
    for name, here in by_site.items():
        found |= _of_site(name, here)
    return found


def _of_site(name: str, wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    try:
        site = read_site(name)
        credentials = read_exports(site.credentials) if site.credentials else {}
        store = store_at(site.backend, {**os.environ, **credentials})
        there = set(store.stacks()) if store else set()
    except SetupError as problem:
        return {stack: {"error": str(problem)} for stack in wanted}
    with ThreadPoolExecutor(READERS) as pool:
        read_ones = pool.map(lambda stack: _of_stack(site, store, stack) if stack in there else {}, wanted)
        return dict(zip(wanted, read_ones, strict=True))


def _of_stack(site: Site, store: Store | None, stack: str) -> dict[str, Any]:
    """An unreadable state is told, and ends nothing."""
    said: dict[str, Any] = {"drift": _drift(site, stack)}
    content = store.checkpoint(stack) if store else None
    if content is None:
        return said
    try:
        checkpoint = read(content)
    except Unreadable as reason:
        return {**said, "error": f"{reason}; make state-check STACK={stack}"}
    outputs = next((r.get("outputs") for r in checkpoint.resources if r.get("type") == STACK_TYPE), None)
    return {**said, "outputs": outputs or {}, "updated": checkpoint.written.isoformat()}


def _drift(site: Site, stack: str) -> dict[str, str]:
    """Verdict and time of the last report, where one was made on this machine."""
    try:
        report = json.loads((site.folder / "drift" / f"{stack}.json").read_text())
        return {"verdict": str(report["verdict"]), "at": str(report["at"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _states(wanted: Sequence[str] = ()) -> str:
    names = wanted or os.environ.get("STACKS", "").split() or stack_names()
    return json.dumps(states(names, os.environ.get("SITE", "")))


def _names() -> str:
    return f"--stacks={os.environ.get('STACKS', '')}"


def _wanted(variable: str, example: str) -> str:
    said = os.environ.get(variable, "")
    if not said:
        raise SetupError(f"{variable}: missing; for example: {example}")
    return said


def _run(command: str, *arguments: str, said: Callable[[], str] = str) -> int:
    """Values go by `--name=value`: none of them can be taken for another option. States are read while it starts."""
    child = subprocess.Popen([*COMMAND, command, *arguments], cwd=CHECKOUT, stdin=subprocess.PIPE, text=True)
    try:
        child.communicate(said())
    finally:
        child.wait()
    return child.returncode
