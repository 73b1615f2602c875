"""Paths to a value in XML: /configuration/appSettings/add[@key='Url']/@value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = r"[^\W\d][\w.\-]*(?::[^\W\d][\w.\-]*)?"
_TEST = (
    rf"""\[\s*(?:@(?P<name>{_NAME})\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')|(?P<position>[1-9][0-9]*))\s*\]"""
)
_UNNAMED_TEST = re.sub(r"\?P<\w+>", "?:", _TEST)
_STEP = re.compile(rf"/(?P<name>{_NAME})(?P<tests>(?:{_UNNAMED_TEST})*)")
_ATTRIBUTE = re.compile(rf"/@(?P<name>{_NAME})\Z")
_EACH_TEST = re.compile(_TEST)


@dataclass(frozen=True)
class Test:
    """What an element has to be beside its name: an attribute's value, or the n-th of those that passed so far."""

    attribute: str
    value: str
    position: int


@dataclass(frozen=True)
class Step:
    """One element on the way."""

    name: str
    tests: tuple[Test, ...]


@dataclass(frozen=True)
class Path:
    """Elements from the root on, and the attribute of the last; "" means its text."""

    steps: tuple[Step, ...]
    attribute: str


@dataclass
class Count:
    """The elements of one parent, tested one by one against a step."""

    step: Step
    passed: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing has passed yet."""
        self.passed = [0] * len(self.step.tests)

    def takes(self, name: str, attributes: dict[str, str]) -> bool:
        """Whether the next child is the one meant."""
        if name != self.step.name:
            return False
        for index, test in enumerate(self.step.tests):
            self.passed[index] += 1
            if test.position and self.passed[index] != test.position:
                return False
            if test.attribute and attributes.get(test.attribute) != test.value:
                return False
        return True


def parsed(at: str) -> Path | None:
    """The path; None when it is none."""
    steps, end = [], 0
    while match := _STEP.match(at, end):
        tests = tuple(
            Test(t["name"] or "", (t["double"] or "") + (t["single"] or ""), int(t["position"] or 0))
            for t in _EACH_TEST.finditer(match["tests"])
        )
        steps.append(Step(match["name"], tests))
        end = match.end()
    attribute = _ATTRIBUTE.match(at, end)
    if not steps or (end != len(at) and not attribute):
        return None
    return Path(tuple(steps), attribute["name"] if attribute else "")
