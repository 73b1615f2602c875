"""Environment files (.env) by variable, as Docker Compose reads them: quotes, escapes, comments behind a value."""

from __future__ import annotations

import re

from provisioning.config_files.errors import EditError
from provisioning.config_files.span import Holds, Place, line_of, only

_NAME = re.compile(r"[^\s=:#'\"]+")
_ENTRY = re.compile(
    r"[ \t]*(?:#[^\r\n]*"
    r"|(?:export[ \t]+)?(?P<key>[^\s=:#'\"]+)[ \t]*[=:][ \t]*"
    r"(?P<raw>\"[^\"\\]*(?:\\[\s\S][^\"\\]*)*\"|'[^']*'|[^\r\n]*)(?P<rest>[^\r\n]*)"
    r"|[^\r\n]*)(?:\r\n|\r|\n|\Z)"
)
_COMMENT = re.compile(r"[ \t]+#.*")
_NOTHING = re.compile(r"[ \t]*(?:#.*)?")
_ESCAPE = re.compile(r"\\([nrt\"\\$])")
_NAMED = {"n": "\n", "r": "\r", "t": "\t"}
_WRITTEN = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
# Nothing that a shell or a reader of such files takes for more than itself.
_PLAIN = re.compile(r"[\w@%+=:,./-]*")


def problem(at: str) -> str | None:
    """What is wrong with a selector."""
    return None if _NAME.fullmatch(at) else "is no name of a variable"


def locate(text: str, at: str) -> Place:
    """The value of the variable. References to others (`$NAME`) are read as they stand."""
    match = only([m for m in _ENTRY.finditer(text) if m["key"] == at], at, "this variable", "readers take the last")
    raw, quote = match["raw"], match["raw"][:1]
    if quote not in ('"', "'"):
        # A comment right behind the = is one to some readers, and a value to others.
        raw, quote = (_COMMENT.sub("", raw).rstrip(" \t"), "") if quote != "#" else (raw, "#")
    if quote == "#" or (quote and not _is_closed(raw, match["rest"])):
        raise EditError(f"{at}: line {line_of(text, match.start())} is read differently by different readers: quote it")
    start = match.start("raw")
    end = start + len(raw)
    is_followed = end < len(text) and text[end] not in "\r\n"
    return Place(start=start, end=end, value=_decoded(raw, quote), raw=raw, style=quote, around=is_followed)


def spell(at: str, place: Place, value: str, holds: Holds) -> str:
    """The value in the quotes that stand there where it keeps its meaning in them, else in others."""
    # Nothing before a comment would make a value of it.
    if not place.style and _PLAIN.fullmatch(value) and (value or not place.around):
        return value
    literal = not any(char in value for char in "'\n\r") and "\\\\" not in value and not value.endswith("\\")
    if literal and (place.style != '"' or "$" in value):
        return f"'{value}'"
    return f'"{value.translate(_WRITTEN)}"'


def _is_closed(raw: str, rest: str) -> bool:
    return len(raw) > 1 and raw[-1] == raw[0] and bool(_NOTHING.fullmatch(rest))


def _decoded(raw: str, quote: str) -> str:
    if quote != '"':
        return raw[1:-1] if quote else raw
    return _ESCAPE.sub(lambda match: _NAMED.get(match[1], match[1]), raw[1:-1])
