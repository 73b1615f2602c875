"""A sudoers drop-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provisioning.claim import Problem
from provisioning.steps.kind import Arguments, Kind
from provisioning.steps.step import Step, shell
from provisioning.steps.words import FILE_NAME, hostile_lines


class SudoRule(Kind):
    """`name` of the drop-in, `rules`: its lines. visudo reads it before it is put in place."""

    name: ClassVar[str] = "SudoRule"
    replace_on: ClassVar[frozenset[str]] = frozenset({"name"})

    def problems(self, args: Arguments) -> Iterator[Problem]:
        """A file name, and single lines."""
        yield from FILE_NAME.problems("name", args["name"])
        yield from hostile_lines("rules", map(str, args["rules"]))
        if not args["rules"]:
            yield Problem(property="rules", reason="none, expected at least one line")

    def step(self, name: str, args: Arguments) -> Step:
        """Own the file; a broken one never gets there."""
        rules = [str(rule) for rule in args["rules"]]
        return Step(
            name=name,
            script=shell("access/sudo_rule.sh"),
            values={"rule": str(args["name"]), "text": "\n".join(rules) + "\n"},
            wanted={"rules": rules, "file": "as written"},
        )
