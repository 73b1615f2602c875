"""A swap file of our own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import number_problems


class Swap(Kind):
    """`size_mib` of /swapfile-hypercompose; 0: none of ours. Other swap is never touched."""

    name: ClassVar[str] = "Swap"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """A number."""
        yield from number_problems("size_mib", args["size_mib"], 0, 1 << 20)

    def step(self, name: str, args: Arguments) -> Step:
        """The file, and a swap unit for it."""
        size = str(args["size_mib"])
        return Step(
            name=name,
            script=shell("system/swap.sh"),
            values={"size_mib": size},
            wanted={"size_mib": size, "swap": "on" if size != "0" else "off"},
            timeout_s=600,
        )
