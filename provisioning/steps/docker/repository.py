"""Where Docker's packages come from: a signed repository, of the site's choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word

URL = Word(r"https?://[A-Za-z0-9._~:/?#@!$&+,;=%\[\]-]+", "a URL that starts with http:// or https://")
SUITE = Word(r"[A-Za-z0-9][A-Za-z0-9./_-]*", "letters, digits and ./_-")
ARMOUR = "-----BEGIN PGP PUBLIC KEY BLOCK-----"


class DockerRepository(Kind):
    """`dnf` {url, key} and `apt` {url, suite, components, key}; a host takes the one of its family. Keys are text."""

    name: ClassVar[str] = "DockerRepository"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """URLs, words and an armoured key."""
        for family in ("dnf", "apt"):
            given: Mapping[str, Any] = args.get(family) or {}
            if not given:
                continue
            yield from URL.problems(family, given["url"])
            if ARMOUR not in str(given["key"]):
                yield Problem(property=family, reason=f"its key is no ASCII armour, expected text with {ARMOUR}")
        apt: Mapping[str, Any] = args.get("apt") or {}
        if apt:
            yield from SUITE.problems("apt", apt["suite"], *apt["components"])

    def step(self, name: str, args: Arguments) -> Step:
        """Own files for the repository and its key; the metadata is fetched and its signature checked."""
        dnf, apt = dict(args.get("dnf") or {}), dict(args.get("apt") or {})
        given = {key: value for key, value in (("dnf", dnf), ("apt", apt)) if value}
        return Step(
            name=name,
            script=shell("docker/repository.sh"),
            values={
                "families": list(given),
                "dnf_url": str(dnf.get("url", "")),
                "dnf_key": str(dnf.get("key", "")),
                "apt_url": str(apt.get("url", "")),
                "apt_key": str(apt.get("key", "")),
                "apt_suite": str(apt.get("suite", "")),
                "apt_components": list(apt.get("components", ())),
            },
            wanted={**given, "file": "as written", "fetched": "yes"},
            timeout_s=180,
        )
