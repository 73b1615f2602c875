"""The host's time zone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word

ZONE = Word(
    r"[A-Za-z][A-Za-z0-9+_-]*(/[A-Za-z][A-Za-z0-9+_-]*){0,2}",
    "a name of the time zone database, such as Europe/Paris or UTC",
)


class TimeZone(Kind):
    """`timezone`: the zone that the host shows times in. The clock itself is not touched."""

    name: ClassVar[str] = "TimeZone"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """By form alone: which zones there are is the host's to say."""
        yield from ZONE.problems("timezone", args["timezone"])

    def step(self, name: str, args: Arguments) -> Step:
        """Set it; the revert gives the zone back that was there."""
        timezone = str(args["timezone"])
        return Step(
            name=name,
            script=shell("system/timezone.sh"),
            values={"timezone": timezone},
            wanted={"timezone": timezone},
        )
