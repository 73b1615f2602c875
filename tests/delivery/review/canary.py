"""Puts a secret into every place of a preview that can hold a value."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

PREFIX = "canary"
NAMES = frozenset({"urn", "type", "parent", "deletedWith", "op", "severity", "kind"})
"""Fields that hold names, and words of the engine."""


class Canaries:
    """Hands out secrets, no two alike, that look like what people type: short, long, quoted, in several lines."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.all: list[str] = []

    def new(self) -> str:
        """Another one."""
        number = next(self._numbers)
        tail = ("", " with spaces", '"quoted" `and` <b>', "\nsecond line", "$(reboot) | 🐘")[number % 5]
        self.all.append(f"{PREFIX}-{number}-hunter2{tail}")
        return self.all[-1]

    def filled(self, value: Any, field: str = "") -> Any:
        """The preview with a canary instead of each value, beside each number, and in fields that no recording has."""
        if isinstance(value, dict):
            filled = {key: self.filled(inner, key) for key, inner in value.items()}
            if field == "config":
                filled[self.new()] = self.new()
            elif field in ("newState", "oldState"):
                filled |= {"id": self.new(), "sourcePosition": self.new(), "initErrors": [self.new()]}
            elif field == "detailedDiff":
                filled = {key: {**inner, "old": self.new(), "new": self.new()} for key, inner in filled.items()}
            return filled
        if isinstance(value, list):
            return [inner if field.endswith("Reasons") else self.filled(inner, field) for inner in value]
        if field in NAMES or isinstance(value, bool) or value is None:
            return value
        return value if field in ("same", "create", "update", "replace", "delete", "duration") else self.new()

    def preview(self, text: str) -> str:
        """A recording with canaries, and noise with one in front."""
        return f"warning: {self.new()}\n{json.dumps(self.filled(json.loads(text)))}"

    def found_in(self, text: str) -> Iterator[str]:
        """Those that a text holds, in whole or in part."""
        if PREFIX in text or "hunter2" in text:
            yield from (canary for canary in self.all if canary in text)
            yield "a part of one"
