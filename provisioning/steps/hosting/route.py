"""A name of the router's leads to ports of this host; Nginx has taken it, or nothing has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

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
        yield from route_problems(args["host"], args["address"], _whole(args["port"]), _numbers(args.get("paths")))

    def step(self, name: str, args: Arguments) -> Step:
        """Checked by the router before the file is replaced; done when the router has it in use."""
        paths = _numbers(args.get("paths"))
        text = route_text(str(args["host"]), str(args["address"]), _whole(args["port"]), paths)
        return Step(
            name=name,
            script=shell("hosting/route.sh"),
            values={"route": str(args["route"]), "text": text},
            wanted={"file": "as written", "in use": "yes"},
        )


def _numbers(paths: Any) -> Any:
    return {path: _whole(number) for path, number in paths.items()} if isinstance(paths, dict) else paths or {}


def _whole(number: Any) -> Any:
    """Pulumi's numbers are floating ones."""
    return int(number) if isinstance(number, float) and number.is_integer() else number
