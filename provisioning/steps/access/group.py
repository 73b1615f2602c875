"""A group of users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import ACCOUNT


class Group(Kind):
    """`name`, `gid` or none. One that was there before us is used, never changed and never removed."""

    name: ClassVar[str] = "Group"
    replace_on: ClassVar[frozenset[str]] = frozenset({"name"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """A name, and a number."""
        yield from ACCOUNT.problems("name", args["name"])
        yield from id_problems("gid", args.get("gid"))

    def step(self, name: str, args: Arguments) -> Step:
        """Make it; remove it again if it is ours."""
        gid = args.get("gid")
        wanted: dict[str, Any] = {"group": "present", **({"gid": str(gid)} if gid is not None else {})}
        return Step(
            name=name,
            script=shell("access/group.sh"),
            values={"group": str(args["name"]), "gid": "" if gid is None else str(gid)},
            wanted=wanted,
        )


def id_problems(where: str, number: Any) -> Iterator[Problem]:
    """Numbers that an account or group can have."""
    if number is not None and not (type(number) is int and 100 <= number <= 65533):
        yield Problem(property=where, reason=f"{number!r}, expected a number from 100 to 65533")
