"""Checks and tests of the checkout itself, each a plain command that a person could type as well."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from setup.places import CHECKOUT
from setup.report import say
from setup.session import open_session
from setup.venv import ensure_uv, uv_environment

UNIT = ["-m", "not lab and not browser and not soak", "-n", "2"]
# A worker per site, as tests of one site go on where the one before ended; unit tests fill the gaps.
ALL = [
    "-m",
    "not soak",
    "-n",
    "3",
    "--dist",
    "loadfile",
    "--no-loadscope-reorder",
    "--durations=60",
    "--durations-min=10",
]


def check(arguments: Sequence[str]) -> int:
    """Lock file, format, lint, types, unit tests: all of them, then the verdict."""
    steps = {
        "lock": [ensure_uv(), "lock", "--check", "--quiet"],
        "format": [*_python("ruff"), "format", "--check", "--quiet", "."],
        "lint": [*_python("ruff"), "check", "--quiet", "."],
        "types": [*_python("mypy"), "--no-error-summary", *typed()],
        "unit": [*_python("pytest"), "-q", *UNIT, *arguments],
    }
    failed = [name for name, command in steps.items() if _run(name, command)]
    return _verdict(failed)


OF_MAKE = ("MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS", "ARGS")
"""What make hands to those below it: tests run make themselves, and theirs must not get our arguments."""


def test(arguments: Sequence[str]) -> int:
    """All tiers in one run."""
    env = _environment()
    return _verdict(["test"] if _run("test", [*_python("pytest"), "-q", *ALL, *arguments], env) else [])


def soak(arguments: Sequence[str]) -> int:
    """What takes longer than a test may: every moment at which a run can be killed."""
    env = _environment()
    return _verdict(["soak"] if _run("soak", [*_python("pytest"), "-m", "soak", *arguments], env) else [])


def docs(arguments: Sequence[str]) -> int:
    """Write the pages and schemas that come from the types; `make check` fails when they are old."""
    return _module("settings.schema", arguments) or _module("contract.schema", ()) or _module("policies.reference", ())


def typed() -> list[str]:
    """What mypy reads: every package of the checkout, tests included, and the program."""
    packages = sorted(file.parent.name for file in CHECKOUT.glob("*/__init__.py"))
    return [*packages, *(file.name for file in CHECKOUT.glob("__main__.py"))]


CHECKOUT_COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "check": check,
    "test": test,
    "soak": soak,
    "docs": docs,
}


def _environment() -> dict[str, str]:
    """For tests of the lab: what its session needs, and nothing of the make that called us."""
    env = open_session("lab", None).environment()
    return {name: value for name, value in env.items() if name not in OF_MAKE}


def _run(name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> bool:
    """Run one step in the open; whether it failed."""
    say(f"── {name}")
    done = subprocess.run(list(command), cwd=CHECKOUT, env=env or uv_environment(os.environ), check=False)
    return done.returncode != 0


def _module(name: str, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> int:
    """Run a module of the checkout."""
    return subprocess.run([*_python(name), *arguments], cwd=CHECKOUT, env=env, check=False).returncode


def _python(module: str) -> list[str]:
    """The environment's own copy of a tool, whatever PATH holds."""
    return [sys.executable, "-m", module]


def _verdict(failed: Sequence[str]) -> int:
    """Say which steps failed."""
    say(f"failed: {', '.join(failed)}" if failed else "all passed")
    return 1 if failed else 0
