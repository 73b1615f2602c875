"""Docker's packages, in exactly the versions of a set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import PACKAGE, Word

VERSION = Word(r"[0-9][A-Za-z0-9.+~]*", "a version such as 26.1.5, without the distribution's part")


class DockerPackages(Kind):
    """`versions`: package -> upstream version; `replace`: whether another Docker CE that was there may be moved.

    Containers go on through upgrades and downgrades (live-restore). Removing them leaves /var/lib/docker: it is data.
    """

    name: ClassVar[str] = "DockerPackages"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Names and versions."""
        yield from PACKAGE.problems("versions", *args["versions"])
        yield from VERSION.problems("versions", *args["versions"].values())

    def step(self, name: str, args: Arguments) -> Step:
        """Install, upgrade or downgrade in one transaction, and keep updates from moving them."""
        versions = {str(package): str(version) for package, version in args["versions"].items()}
        return Step(
            name=name,
            script=shell("docker/packages.sh"),
            values={"versions": versions, "replace": bool(args.get("replace", False))},
            wanted={"versions": versions, "held": "yes"},
            timeout_s=900,
        )
