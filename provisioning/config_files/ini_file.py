"""INI by section and key, read as Windows reads it: names without case, `;` in a value is part of it."""

from __future__ import annotations

import re

from provisioning.config_files.errors import EditError
from provisioning.config_files.span import Holds, Place, folded, line_of, only

_LINE = re.compile(r"[^\r\n]+")


def problem(at: str) -> str | None:
    """What is wrong with a selector."""
    section, slash, key = at.rpartition("/")
    if not slash or not key.strip():
        return "expected section/key, e.g. Gateway/Url, or /key for a key before the first section"
    if any(char in at for char in "\r\n=") or section != section.strip() or key != key.strip() or key[0] in ";#[":
        return "is no section and key that an INI file can hold"
    return None


def locate(text: str, at: str) -> Place:
    """The value of the key. Parts of a section that stand apart count as one section."""
    wanted, _, key = (folded(name) for name in at.rpartition("/"))
    section, found = "", []
    for match in _LINE.finditer(text):
        line = match[0].strip(" \t")
        if line[:1] == "[":
            section = _section(line, text, match.start(), at)
        elif section == wanted and folded(line[: len(key)]) == key and (place := _value(match, key)):
            found.append(place)
    return only(found, at, "this key", "Windows takes the first, others the last")


def spell(at: str, place: Place, value: str, holds: Holds) -> str:
    """The value on one line, in the quotes that stand there; in quotes of its own where blanks would be lost."""
    if "\n" in value or "\r" in value:
        raise EditError(f"{at}: the new value has a line end, which INI has no way to write")
    if place.style:
        return f"{place.style}{value}{place.style}"
    # Without them, what stands before and after would no longer tell where the value was.
    if value != value.strip(" \t") or _quote(value) or (not value and place.around):
        return f'"{value}"'
    return value


def _section(line: str, text: str, index: int, at: str) -> str:
    end = line.rfind("]")
    if end < 0:
        raise EditError(f"{at}: the file is no valid INI: line {line_of(text, index)} begins a section without ]")
    return folded(line[1:end].strip(" \t"))


def _value(line: re.Match[str], key: str) -> Place | None:
    name, equals, rest = line[0].partition("=")
    if not equals or folded(name.strip(" \t")) != key or name.strip(" \t")[0] in ";#":
        return None
    raw = rest.strip(" \t")
    start = line.end() - len(rest.lstrip(" \t"))
    quote = _quote(raw)
    return Place(
        start=start,
        end=start + len(raw),
        value=raw[1:-1] if quote else raw,
        raw=raw,
        style=quote,
        around=rest.rstrip(" \t") != rest and bool(raw),
    )


def _quote(raw: str) -> str:
    """The quotes that Windows takes off a value: one pair, of one kind."""
    return raw[0] if len(raw) > 1 and raw[0] in "\"'" and raw[0] == raw[-1] else ""
