"""Docker runs, and starts with the host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import text_of
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import flag_problems


class DockerService(Kind):
    """`running`, `enabled`: both true as a rule."""

    name: ClassVar[str] = "DockerService"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Yes or no, twice."""
        for key in ("running", "enabled"):
            yield from flag_problems(key, args[key])

    def step(self, name: str, args: Arguments) -> Step:
        """Start or stop, enable or disable docker and containerd; taken back to what they were before us."""
        wanted = {key: bool(args[key]) for key in ("running", "enabled")}
        return Step(
            name=name,
            script=shell("docker/service.sh"),
            values=dict(wanted),
            wanted={key: text_of(value) for key, value in wanted.items()},
        )
