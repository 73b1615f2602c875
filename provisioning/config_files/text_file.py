"""Any text by an expression that is anchored to a line, and holds one group around the value."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

import regex

from provisioning.config_files.errors import EditError
from provisioning.config_files.span import Holds, Place, only

PATIENCE_S = 1.0
"""Expressions can take for ever: Python's own library has no end for them, this one has."""
_LINE_END = re.compile(r"\r\n?|\n")


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
    pattern = _pattern(at)
    group = "value" if "value" in pattern.groupindex else 1
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    begin, match = only(_matches(pattern, lines, at), at, "a line that the expression matches")
    if match.start(group) < 0:
        raise EditError(f"{at}: not there: the line matches without the group of the value")
    start = begin + match.start(group) + _dropped(text, lines.count("\n", 0, begin))
    return Place(start=start, end=start + len(match[group]), value=match[group], raw=match[group], style="")


def spell(at: str, place: Place, value: str, holds: Holds) -> str:
    """The value itself."""
    if "\n" in value or "\r" in value:
        raise EditError(f"{at}: the new value has a line end, expected one line")
    return value


@lru_cache(maxsize=256)
def _pattern(at: str) -> regex.Pattern[str]:
    """Around it once more: `^a|b$` means a line that is a or b."""
    return regex.compile(f"^(?:{at})$", regex.MULTILINE)


def _matches(pattern: regex.Pattern[str], lines: str, at: str) -> list[tuple[int, regex.Match[str]]]:
    """Where a line begins, and how it matches.

    One search of the whole text is far quicker than one a line. It may run over line ends (`[^;]` does), so each line
    that it covered is looked at by itself; a line that matches by itself is always among them.
    """
    try:
        covered = [_whole_lines(lines, *match.span()) for match in pattern.finditer(lines, timeout=PATIENCE_S)]
        candidates = [line for some in covered for line in some]
        matches = [(begin, pattern.fullmatch(line, timeout=PATIENCE_S)) for begin, line in candidates]
    except TimeoutError:
        raise EditError(f"{at}: takes too long on this file: no repetition of a repetition, please") from None
    return [(begin, match) for begin, match in matches if match]


def _whole_lines(lines: str, start: int, end: int) -> list[tuple[int, str]]:
    found = []
    for line in lines[start:end].split("\n"):
        found.append((start, line))
        start += len(line) + 1
    return found


def _dropped(text: str, line_ends: int) -> int:
    """How many characters the first line ends are longer than one."""
    return sum(len(end[0]) - 1 for end in islice(_LINE_END.finditer(text), line_ends))
