"""The CA behind a registry's certificate, as Docker looks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word

REGISTRY = Word(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?", "a registry as image names carry it: host or host:port")


class RegistryTrust(Kind):
    """`registry`: host or host:port; `ca`: PEM text."""

    name: ClassVar[str] = "RegistryTrust"
    replace_on: ClassVar[frozenset[str]] = frozenset({"registry"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """A registry, and a certificate."""
        yield from REGISTRY.problems("registry", args["registry"])
        if "-----BEGIN CERTIFICATE-----" not in str(args["ca"]):
            yield Problem(property="ca", reason="no PEM text, expected -----BEGIN CERTIFICATE-----")

    def step(self, name: str, args: Arguments) -> Step:
        """Docker reads the file at each connection; nothing is restarted."""
        return Step(
            name=name,
            script=shell("docker/registry_trust.sh"),
            values={"registry": str(args["registry"]), "ca": str(args["ca"])},
            wanted={"ca": str(args["ca"])},
        )
