"""How much the host's journal keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.facts import text_of
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import flag_problems, number_problems

ARGUMENTS = ("max_use_mib", "max_retention_days", "forward_to_syslog")


class Journald(Kind):
    """`max_use_mib` on disk or in memory, `max_retention_days`, `forward_to_syslog`; what is left out is the host's."""

    name: ClassVar[str] = "Journald"

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """Numbers that journald takes."""
        yield from number_problems("max_use_mib", args["max_use_mib"], 8, 1 << 20)
        yield from number_problems("max_retention_days", args.get("max_retention_days", 1), 1, 36_500)
        yield from flag_problems("forward_to_syslog", args.get("forward_to_syslog", False))

    def step(self, name: str, args: Arguments) -> Step:
        """A drop-in of our own that the running journald has read."""
        given = {argument: text_of(args[argument]) for argument in ARGUMENTS if argument in args}
        return Step(
            name=name,
            script=shell("system/journald.sh"),
            values={"given": given, "content": _content(args)},
            wanted={**given, "file": "as written", "journald": "reads it"},
        )


def _content(args: Arguments) -> str:
    lines = ["[Journal]", f"SystemMaxUse={args['max_use_mib']}M", f"RuntimeMaxUse={args['max_use_mib']}M"]
    if "max_retention_days" in args:
        lines.append(f"MaxRetentionSec={args['max_retention_days']}day")
    if "forward_to_syslog" in args:
        lines.append(f"ForwardToSyslog={'yes' if args['forward_to_syslog'] else 'no'}")
    return "\n".join([*lines, ""])
