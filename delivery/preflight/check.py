"""A check as data, and what a list of them means for the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

FAILED, UNKNOWN = 1, 3
"""Exit codes; 2 is a wrong command line."""
LOOK_THERE = "is its address right, does it run, is its network reachable from here?"


class Status(StrEnum):
    """How a check ended."""

    PASSED = "pass"
    FAILED = "fail"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the report. `field`: the setting behind it, with its file, where there is one."""

    name: str
    subject: str
    status: Status
    detail: str
    remedy: str = ""
    field: str = ""


@dataclass(frozen=True, kw_only=True)
class About:
    """What checks of one thing have in common."""

    name: str
    subject: str = ""
    field: str = ""

    def passed(self, detail: str, remedy: str = "") -> Check:
        """It is so. A remedy here is advice."""
        return self._ended(Status.PASSED, detail, remedy)

    def failed(self, detail: str, remedy: str) -> Check:
        """It is not so."""
        return self._ended(Status.FAILED, detail, remedy)

    def unknown(self, because: str, remedy: str = "") -> Check:
        """It could not be found out."""
        return self._ended(Status.NOT_CHECKED, f"because {because}", remedy)

    def refused(self, error: Exception) -> Check:
        """It is not so, in the words of an error: what is wrong, then what to do."""
        return self.failed(*told(error))

    def _ended(self, status: Status, detail: str, remedy: str) -> Check:
        return Check(
            name=self.name, subject=self.subject, status=status, detail=detail, remedy=remedy, field=self.field
        )


class Ladder:
    """Checks that stand on each other: what is above one that fails is not known."""

    def __init__(self, *rungs: About) -> None:
        """From the lowest to the highest."""
        self._left = list(rungs)
        self.checks: list[Check] = []

    def passed(self, *details: str) -> None:
        """The next ones are so."""
        self.checks += [self._left.pop(0).passed(detail) for detail in details]

    def failed(self, detail: str, remedy: str, because: str) -> None:
        """The next one is not so, which is why those above it are not known."""
        self.checks.append(self._left.pop(0).failed(detail, remedy))
        self.unknown(because)

    def ended(self, how: Callable[[About], Check]) -> None:
        """The next one is as `how` says."""
        self.checks.append(how(self._left.pop(0)))

    def unknown(self, because: str, remedy: str = "") -> None:
        """None of the others can be found out."""
        self.checks += [rung.unknown(because, remedy) for rung in self._left]
        self._left.clear()


def told(error: Exception, otherwise: str = LOOK_THERE) -> tuple[str, str]:
    """What went wrong and what to do, which errors of this project part by a semicolon; some name no remedy."""
    detail, _, remedy = str(error).partition("; ")
    return detail or type(error).__name__, remedy or otherwise


def counts(checks: Iterable[Check]) -> Counter[Status]:
    """How many ended how."""
    return Counter(check.status for check in checks)


def exit_code(checks: Sequence[Check]) -> int:
    """0 when everything passed, 1 when something failed, 3 when nothing did but something is not known."""
    found = counts(checks)
    if found[Status.FAILED]:
        return FAILED
    return UNKNOWN if found[Status.NOT_CHECKED] or not checks else 0
