"""JSON by pointer, in the dialect of appsettings.json: comments and trailing commas are allowed, and stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from provisioning.config_files import pointer
from provisioning.config_files.errors import EditError
from provisioning.config_files.span import Holds, Place, folded, only, spelled, utf16_escape

problem = pointer.problem

# All that is neither is one match, so that a large file is a matter of few. What is not closed goes on to the end, and
# stays: looking for the end of each of many would take for ever.
_STRING = r'"(?:[^"\\]++|\\(?:.|\Z))*+(?:"|\Z)'
_COMMENT = re.compile(rf'//[^\r\n]*|/\*.*?\*/|(?P<rest>(?:[^"/]++|{_STRING})++|/(?:\*.*)?)', re.DOTALL)
_COMMA = re.compile(rf'(?:[^",]++|{_STRING}|,(?![ \t\r\n]*[\]}}]))++|(?P<comma>,)', re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = {"true": "boolean", "false": "boolean", "null": "null"}
_EXPECTED = {"number": "a number", "boolean": "true or false", "null": "null"}
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_SPECIAL = '"\\' + "".join(map(chr, range(32)))


def locate(text: str, at: str) -> Place:
    """The value that the pointer leads to."""
    plain = _plain(text)
    _check(plain, at)
    start, end = _next(plain, 0), len(plain)
    for depth, token in enumerate(pointer.tokens(at)):
        start, end = _child(plain, start, token, pointer.up_to(at, depth), at)
    return _place(text, start, end, at)


def spell(at: str, place: Place, value: str, holds: Holds) -> str:
    """The value as JSON of the kind that stands there."""
    if place.style == "string":
        return f'"{spelled(value, holds, _escape, _SPECIAL)}"'
    if place.style == ("number" if _NUMBER.fullmatch(value) else _WORDS.get(value)):
        return value
    raise EditError(f"{at}: expected {_EXPECTED[place.style]}, as stands there")


def _place(text: str, start: int, end: int, at: str) -> Place:
    raw = text[start:end]
    if raw[0] in "{[":
        raise EditError(
            f"{at}: is an {'object' if raw[0] == '{' else 'array'}, expected the pointer of one value in it"
        )
    if raw[0] == '"':
        return Place(start=start, end=end, value=json.loads(raw), raw=raw, style="string")
    return Place(start=start, end=end, value=raw, raw=raw, style=_WORDS.get(raw, "number"))


def _plain(text: str) -> str:
    """The same text with blanks for comments and trailing commas: places stay what they are."""
    without = "".join(m["rest"] or re.sub(r"[^\r\n]", " ", m[0]) for m in _COMMENT.finditer(text))
    return "".join(" " if m["comma"] and _is_trailing(without, m.start()) else m[0] for m in _COMMA.finditer(without))


def _is_trailing(plain: str, comma: int) -> bool:
    """Whether anything stands before the comma: `[,]` is an error, and stays one."""
    before = comma - 1
    while before >= 0 and plain[before] in " \t\r\n":
        before -= 1
    return before >= 0 and plain[before] not in "[{,"


def _refuse(word: str) -> Any:
    raise json.JSONDecodeError(f"{word} is no value of JSON", "", 0)


# Numbers stay text: they may have more digits than Python takes.
_READER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)


def _check(plain: str, at: str) -> None:
    try:
        _READER.decode(plain)
    except json.JSONDecodeError as error:
        where = f" at line {error.lineno}, column {error.colno}" if error.doc else ""
        raise EditError(f"{at}: the file is no valid JSON{where}: {error.msg}") from None
    except RecursionError:
        raise EditError(f"{at}: the file is nested too deeply") from None


def _child(plain: str, start: int, token: str, parent: str, at: str) -> tuple[int, int]:
    if plain[start] not in "{[":
        raise EditError(f"{at}: not there: {parent} is a single value")
    children = list(_children(plain, start))
    if plain[start] == "[" and not pointer.INDEX.fullmatch(token):
        raise EditError(f"{at}: {parent} is an array, expected an index (0, 1, …) instead of {token}")
    found = [span for name, *span in children if name == token]
    if not found and plain[start] == "{":
        # Names of settings are the same in .NET whatever their case.
        found = [span for name, *span in children if folded(name) == folded(token)]
    start, end = only(found, at, f"{token} in {parent}", "readers differ, .NET takes the last")
    return start, end


def _children(plain: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Name or index, start and end of what an object or array holds, which is valid."""
    named, count, at = plain[start] == "{", 0, _next(plain, start + 1)
    while plain[at] not in "}]":
        name = str(count)
        if named:
            name, colon = _READER.raw_decode(plain, at)
            at = _next(plain, _next(plain, colon) + 1)
        _, end = _READER.raw_decode(plain, at)
        yield name, at, end
        at, count = _next(plain, end), count + 1
        if plain[at] == ",":
            at = _next(plain, at + 1)


def _next(plain: str, index: int) -> int:
    """The next character that is no blank."""
    while plain[index] in " \t\r\n":
        index += 1
    return index


def _escape(char: str) -> str:
    return _ESCAPES.get(char) or utf16_escape(char)
