"""The table of cases: one JSON file a kind, read by the tests of both tiers.

`fresh`, `other`: arguments; `changed`: what somebody does by hand, and what is read then; `after`, `reverted`: scripts
that end with 0 when all is as it must be; `hostile`: arguments that are refused (`refused`: the property), or taken
literally.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.steps.kind import Kind
from provisioning.steps.kinds import BY_NAME

FOLDER = Path(__file__).parent / "cases"
FAMILIES = ("dnf", "apt")


@dataclass(frozen=True, kw_only=True)
class Case:
    """What one kind of step goes through on each family."""

    kind: str
    name: str = ""
    fresh: dict[str, Any]
    other: dict[str, Any] | None = None
    after: str = "true"
    after_other: str = "true"
    changed: list[dict[str, Any]]
    reverted: str
    hostile: list[dict[str, Any]]
    before: str = "true"
    families: tuple[str, ...] = FAMILIES
    not_run: str = ""
    """Why it cannot be shown in the lab; then only the unit tier reads it."""

    @property
    def tested(self) -> Kind:
        """The kind itself."""
        return BY_NAME[self.kind]

    def __str__(self) -> str:
        return f"{self.kind}{'-' if self.name else ''}{self.name}"


def all_cases() -> list[Case]:
    """Every case of every file."""
    found = []
    for file in sorted(FOLDER.glob("*/*.json")):
        content = json.loads(file.read_text())
        found += [Case(**case) for case in (content if isinstance(content, list) else [content])]
    return found
