"""The report: a table for people, the same as data for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from delivery.preflight.check import Check, Status, counts, exit_code

FORMAT = 1
WIDTH = 78
"""Of details and remedies; long words such as addresses may stick out."""
MARKS = {Status.PASSED: "pass", Status.FAILED: "FAIL", Status.NOT_CHECKED: "not checked"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one run found."""

    stack: str
    site: str
    seconds: float
    checks: Sequence[Check]

    def summary(self) -> str:
        """One line."""
        found = counts(self.checks)
        figures = ", ".join(f"{found[status]} {word}" for status, word in _WORDS.items())
        return f"preflight of stack {plain(self.stack)} on site {plain(self.site)}: {figures} ({self.seconds:.1f} s)"

    def table(self) -> Iterator[str]:
        """A line for each check, under it what to do."""
        rows = [(MARKS[check.status], plain(check.name), plain(check.subject)) for check in self.checks]
        widths = [max((len(row[at]) for row in rows), default=0) for at in range(3)]
        for row, check in zip(rows, self.checks, strict=True):
            start = "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=True))
            yield from _lines(start, plain(check.detail))
            if check.remedy:
                yield from _lines(" " * len(start), f"-> {plain(check.remedy)}")
            if check.field and check.status is not Status.PASSED:
                yield from _lines(" " * len(start), f"   {plain(check.field)}")
        yield ""
        yield self.summary()

    def data(self) -> str:
        """As JSON."""
        found = counts(self.checks)
        content = {
            "version": FORMAT,
            "stack": self.stack,
            "site": self.site,
            "seconds": round(self.seconds, 2),
            "exit_code": exit_code(self.checks),
            "counts": {status.value: found[status] for status in Status},
            "checks": [asdict(check) for check in self.checks],
        }
        return json.dumps(content, indent=1)


_WORDS = {Status.PASSED: "passed", Status.FAILED: "failed", Status.NOT_CHECKED: "not checked"}


def plain(text: str) -> str:
    """On one line, with everything that would steer a terminal made visible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _lines(start: str, text: str) -> Iterator[str]:
    pieces = textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"{start}{pieces[0]}".rstrip()
    yield from (f"{' ' * len(start)}{piece}" for piece in pieces[1:])
