"""All checks of a stack, at the same time; a group that does not end in time is named and left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from delivery.preflight.check import About, Check
from delivery.preflight.companions import check_companions
from delivery.preflight.declared import check_secrets, check_settings, invalid
from delivery.preflight.images import check_images
from delivery.preflight.machine import check_machine
from delivery.preflight.names import check_names
from delivery.preflight.repositories import check_repositories
from delivery.preflight.scope import Scope, open_scope
from delivery.preflight.servers import check_servers
from delivery.preflight.site import check_site
from provisioning.at_once import at_once

DEADLINE_S = 13.0
"""For everything that asks somebody; each question has a shorter one of its own."""

GROUPS: tuple[tuple[str, Callable[[Scope], Iterable[Check]]], ...] = (
    ("settings", check_settings),
    ("secret", check_secrets),
    ("this machine", check_machine),
    ("name", check_names),
    ("site", check_site),
    ("server", check_servers),
    ("git", check_repositories),
    ("registry", check_images),
    ("companion", check_companions),
)
"""In the order of the report. What is added here is run beside the others."""


def preflight(stack: str) -> tuple[str, Sequence[Check]]:
    """The site's name, and every check of a stack on it."""
    scope, errors = open_scope(stack)
    if scope is None:
        return "?", [*invalid(errors), About(name="all else").unknown("the settings do not even name a site")]
    answers = at_once([partial(_all_of, check, scope) for _, check in GROUPS], DEADLINE_S)
    found: list[Check] = []
    for (name, _), answer in zip(GROUPS, answers, strict=True):
        found += [_left_behind(name, answer)] if isinstance(answer, Exception) else answer
    return scope.site.id, found


def _all_of(check: Callable[[Scope], Iterable[Check]], scope: Scope) -> list[Check]:
    return list(check(scope))


def _left_behind(name: str, error: Exception) -> Check:
    """One broken group must not hide the others, and never reads as passed."""
    if isinstance(error, TimeoutError):
        return About(name=name).unknown(f"it did not end within {DEADLINE_S:.0f} s", "run it again")
    return About(name=name).unknown(f"the check itself failed: {type(error).__name__}: {error}", "report this")
