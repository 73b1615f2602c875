"""`hypercompose:site:Limits`: refuses an `up` that would delete or replace what the stack's settings hold on to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provider.resource import Context, Properties, Resource, known
from provisioning.claim import Problem

EVERYTHING = "*"


class Limits(Resource):
    """Remembers the things of a stack by kind and name; those of the next run are compared with them first."""

    type = "hypercompose:site:Limits"

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """Kinds that were limited before this run count as well: lifting the limit is no way around it."""
        if not known(news, "kinds", "allow", "things"):
            return
        allowed = set(news["allow"])
        kinds = dict.fromkeys([*olds.get("kinds", ()), *news["kinds"]])
        for kind in kinds if EVERYTHING not in allowed else ():
            before, now = _named(olds, kind), _named(news, kind)
            for name in sorted(before.keys() - allowed):
                if name not in now:
                    yield _problem(kind, name, "deleted")
                elif now[name] != before[name]:
                    yield _problem(kind, name, "replaced")

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Nothing is made: the state remembers."""
        return "limits", {}


def _named(inputs: Properties, kind: str) -> dict[str, Any]:
    return dict((inputs.get("things") or {}).get(kind) or {})


def _problem(kind: str, name: str, end: str) -> Problem:
    return Problem(
        property="things",
        reason=f"{kind} {name} would be {end}, and the settings hold on to it; if that is meant, say "
        f"`limits: {{allow: [{name}]}}` in the same commit"
        + (
            f"; a stack that is renamed takes its volumes along with `moved_from: {{stack: {name}, volumes: copy}}`"
            if kind == "stack" and end == "deleted"
            else ""
        ),
    )
