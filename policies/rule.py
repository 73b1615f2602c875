"""What a rule is: a sentence that must hold, and a function that finds where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from policies.resource import Resource

Find = Callable[[Resource], Iterable[str]]


class Level(StrEnum):
    """What a violation means."""

    MANDATORY = "mandatory"
    """Preview and up fail."""
    ADVISORY = "advisory"
    """A warning."""
    OFF = "off"
    """Not looked at; only an exception says so."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule. `types` are patterns of resource types; `guard` says what holds it without the pack."""

    name: str
    level: Level
    holds: str
    """What must be so, one sentence."""
    remedy: str
    doc: str
    types: tuple[str, ...]
    find: Find
    """What is wrong with a resource, one line each: `where: what was found`."""
    guard: str = ""

    def violations(self, resource: Resource) -> list[str]:
        """What is wrong; nothing where the rule is not about such a resource."""
        about_it = any(fnmatchcase(resource.type, pattern) for pattern in self.types)
        return list(self.find(resource)) if about_it else []
