"""A name of the router's leads to ports of this host; Nginx has taken it, or nothing has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.hosting.route_file import route_problems, route_text
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import FILE_NAME


class Route(Kind):
    """`route` (its file), `host` (the whole name), `address` and `port` it leads to, `paths`: path -> other port."""

    name: ClassVar[str] = "Route"
    replace_on: ClassVar[frozenset[str]] = frozenset({"route"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Nothing but names, ports and paths gets into a file of Nginx's."""
        yield from FILE_NAME.problems("route", args["route"])
        yield from route_problems(args["host"], args["address"], args["port"], args.get("paths") or {})

    def step(self, name: str, args: Arguments) -> Step:
        """Checked by the router before the file is replaced; done when the router has it in use."""
        paths = args.get("paths") or {}
        text = route_text(str(args["host"]), str(args["address"]), args["port"], paths)
        return Step(
            name=name,
            script=shell("hosting/route.sh"),
            values={"route": str(args["route"]), "text": text},
            wanted={"file": "as written", "in use": "yes"},
        )
