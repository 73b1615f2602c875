"""Any text by an expression that is anchored to a line, and holds one group around the value."""

from __future__ import annotations

import re
import time
from functools import lru_cache

import regex

from provisioning.config_files.errors import EditError
from provisioning.config_files.span import Holds, Place, only

PATIENCE_S = 2.0
"""Expressions can take for ever: the library of Python has no end for them, this one has."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def problem(at: str) -> str | None:
    """What is wrong with an expression."""
    slashes = len(at[:-1]) - len(at[:-1].rstrip("\\"))
    if at[0] != "^" or at[-1] != "$" or slashes % 2:
        return "expected an expression for a whole line: ^ at its beginning, $ at its end"
    try:
        pattern = _pattern(at)
    except regex.error as error:
        return f"is no expression: {error}"
    if "value" not in pattern.groupindex and pattern.groups != 1:
        return f"has {pattern.groups} groups, expected one around the value, or one named so: (?P<value>…)"
    return None


def locate(text: str, at: str) -> Place:
    """What the group holds on the one line that the whole expression matches."""
    pattern, deadline, found = _pattern(at), time.monotonic() + PATIENCE_S, []
    group = "value" if "value" in pattern.groupindex else 1
    for line in _LINE.finditer(text):
        match = _match(pattern, line[0].rstrip("\r\n"), deadline, at)
        if match:
            found.append((line.start(), match))
    begin, match = only(found, at, "a line that the expression matches")
    start, end = match.span(group)
    if start < 0:
        raise EditError(f"{at}: not there: the line matches without the group of the value")
    return Place(start=begin + start, end=begin + end, value=match[group], raw=match[group], style="")


def spell(at: str, place: Place, value: str, holds: Holds) -> str:
    """The value itself."""
    if "\n" in value or "\r" in value:
        raise EditError(f"{at}: the new value has a line end, expected one line")
    return value


@lru_cache(maxsize=256)
def _pattern(at: str) -> regex.Pattern[str]:
    return regex.compile(at)


def _match(pattern: regex.Pattern[str], line: str, deadline: float, at: str) -> regex.Match[str] | None:
    try:
        return pattern.fullmatch(line, timeout=max(deadline - time.monotonic(), 0.001))
    except TimeoutError:
        raise EditError(f"{at}: takes more than {PATIENCE_S:g} s: no repetition inside of a repetition, please") from None
