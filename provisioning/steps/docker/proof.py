"""A container from the site's registry has run here: registry, login, engine and network work together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import Word

IMAGE = Word(
    r"[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?", "an image with its registry"
)
PATH = Word(r"/[A-Za-z0-9._~/?=&%-]*", "a path such as /health")


class DockerProof(Kind):
    """`image`; `port` that answers HTTP at `path`, or none where the container has to end with 0; `timeout_s`."""

    name: ClassVar[str] = "DockerProof"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """An image, a port, a path."""
        yield from IMAGE.problems("image", args["image"])
        port = args.get("port")
        if port is not None and not (isinstance(port, int) and 1 <= port <= 65535):
            yield Problem(property="port", reason=f"{port!r}, expected a number from 1 to 65535")
        yield from PATH.problems("path", args.get("path", "/"))

    def step(self, name: str, args: Arguments) -> Step:
        """Pull and run it, ask it, remove it. Proven anew for another image and another version of Docker."""
        timeout_s = int(args.get("timeout_s", 60))
        values: dict[str, str | int] = {
            "image": str(args["image"]),
            "port": str(args.get("port") or ""),
            "path": str(args.get("path", "/")),
            "answer_timeout_s": timeout_s,
        }
        return Step(
            name=name,
            script=shell("docker/proof.sh"),
            values=values,
            wanted={"proof": "given"},
            timeout_s=300 + timeout_s,
        )
