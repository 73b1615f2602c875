"""The host's name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import HOST_NAME


class Hostname(Kind):
    """`hostname`: the static name that the host gives itself."""

    name: ClassVar[str] = "Hostname"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names as hostnamectl takes them."""
        yield from HOST_NAME.problems("hostname", args["hostname"])

    def step(self, name: str, args: Arguments) -> Step:
        """Set it; the revert gives the name back that was there."""
        hostname = str(args["hostname"])
        return Step(
            name=name,
            script=shell("system/hostname.sh"),
            values={"hostname": hostname},
            wanted={"hostname": hostname},
        )
