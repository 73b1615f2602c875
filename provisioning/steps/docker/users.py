"""Who may use Docker, and so become root, on a host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import ACCOUNT


class DockerUsers(Kind):
    """`users`: members of the group docker, beside those that somebody else has put there."""

    name: ClassVar[str] = "DockerUsers"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names of accounts."""
        yield from ACCOUNT.problems("users", *args["users"])

    def step(self, name: str, args: Arguments) -> Step:
        """Add them; take out those that we have added and that are not named any more."""
        users = [str(user) for user in args["users"]]
        return Step(
            name=name,
            script=shell("docker/users.sh"),
            values={"users": users},
            wanted={"users": users, "left over": []},
        )
