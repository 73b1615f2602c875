"""Java properties by key: separators, escapes and continued lines as java.util.Properties reads them."""

from __future__ import annotations

import re

from provisioning.config_files.errors import EditError
from provisioning.config_files.span import Holds, Place, line_of, only, spelled, utf16_escape

# A \ at the end of a line continues it on the next, whose leading blanks do not count.
_CONTINUED = r"\\(?:\r\n|\r|\n)[ \t\f]*"
_ENTRY = re.compile(
    r"[ \t\f]*(?:[#!][^\r\n]*"
    rf"|(?P<key>(?:[^\\ \t\f\r\n=:]|{_CONTINUED}|\\[\s\S])*)"
    rf"(?P<between>(?:[ \t\f]|{_CONTINUED})*[=:]?(?:[ \t\f]|{_CONTINUED})*)"
    r"(?P<raw>[^\\\r\n]*(?:\\(?:\r\n|[\s\S]|\Z)[^\\\r\n]*)*))(?:\r\n|\r|\n|\Z)"
)
_ESCAPE = re.compile(rf"{_CONTINUED}|\\u(?P<unit>[0-9a-fA-F]{{4}})|\\(?P<char>[\s\S]|\Z)")
_NAMED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_WRITTEN = {"\\": "\\\\", **{char: f"\\{name}" for name, char in _NAMED.items()}}


def problem(at: str) -> str | None:
    """What is wrong with a selector."""
    return "is no key: it has a line end" if "\n" in at or "\r" in at else None


def locate(text: str, at: str) -> Place:
    """The value of the key; a value that goes on over several lines is one."""
    found = [match for match in _ENTRY.finditer(text) if match["key"] and _is(match["key"], at)]
    match = only(found, at, "this key", "Java takes the last")
    where = f"line {line_of(text, match.start())}"
    if not match["between"]:
        raise EditError(f"{at}: {where} has the key alone, expected key=value")
    value = _decoded(match["raw"])
    if value is None:
        raise EditError(f"{at}: {where} has a \\u without four hexadecimal digits")
    return Place(start=match.start("raw"), end=match.end("raw"), value=value, raw=match["raw"], style="")


def spell(at: str, place: Place, value: str, holds: Holds) -> str:
    r"""The value on one line. Readers differ in the encoding they expect, so what is not ASCII is written as \uXXXX."""
    written = spelled(value, str.isascii, _escape, "".join(_WRITTEN))
    # What Java would skip before a value.
    return f"\\{written}" if written[:1] in (" ", "=", ":") else written


def _escape(char: str) -> str:
    return _WRITTEN.get(char) or utf16_escape(char)


def _is(raw: str, key: str) -> bool:
    return raw == key if "\\" not in raw else _decoded(raw) == key


def _decoded(raw: str) -> str | None:
    """None where an escape is none."""
    if "\\" not in raw:
        return raw
    if any(match["char"] == "u" for match in _ESCAPE.finditer(raw)):
        return None
    halves = _ESCAPE.sub(_character, raw)
    return halves.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


def _character(match: re.Match[str]) -> str:
    if match["unit"]:
        return chr(int(match["unit"], 16))
    return _NAMED.get(match["char"] or "", match["char"] or "")
