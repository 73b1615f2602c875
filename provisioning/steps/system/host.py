"""A host is ours to manage, and says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import NOTES, Facts
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word

OWNER = Word(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){2}", "<site>/<stack>/<host>")


class Host(Kind):
    """`owner`: recorded on the host, so that no two stacks manage one. Gives `facts`."""

    name: ClassVar[str] = "Host"
    replace_on: ClassVar[frozenset[str]] = frozenset({"owner"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """An owner of three parts."""
        yield from OWNER.problems("owner", args["owner"])

    def step(self, name: str, args: Arguments) -> Step:
        """Claim it; refused where another stack has, or where the system is none that steps are made for."""
        owner = str(args["owner"])
        return Step(name=name, script=shell("system/host.sh"), values={"owner": owner}, wanted={"owner": owner})

    def outputs(self, found: Facts) -> dict[str, Any]:
        """`facts`: family, os, version, architecture, kernel."""
        return {"facts": found.get(NOTES, {})}
