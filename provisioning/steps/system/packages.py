"""Packages that the host needs before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import PACKAGE, Word

ENTRY = Word(f"((dnf|apt):)?{PACKAGE.pattern}", f"{PACKAGE.expected}, or dnf:NAME or apt:NAME for one family alone")


class Packages(Kind):
    """`packages`: names as the distribution has them; `dnf:NAME` and `apt:NAME` count on that family alone."""

    name: ClassVar[str] = "Packages"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Each name, once."""
        packages = args["packages"]
        yield from ENTRY.problems("packages", *packages)
        for twice in sorted({str(name) for name in packages if packages.count(name) > 1}):
            yield Problem(property="packages", reason=f"{twice!r} is there twice; once is enough")

    def step(self, name: str, args: Arguments) -> Step:
        """Install what is missing; the revert removes what we installed, and nothing that something else needs."""
        packages = list(args["packages"])
        return Step(
            name=name,
            script=shell("system/packages.sh"),
            values={"packages": packages},
            wanted={"packages": packages, "left over": []},
            timeout_s=900,
        )
