"""Where a value stands in the text of a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from provisioning.config_files.errors import EditError

T = TypeVar("T")
Holds = Callable[[str], bool]
"""Whether the encoding of the file has these characters."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The characters `start` to `end`, in which `value` is written as `raw`."""

    start: int
    end: int
    value: str
    raw: str
    style: str
    """How it is written there, in words of its format: `string`, `number`, `cdata`."""
    around: Any = None
    """What an edit of this value must leave equal, where a format's reader tells more than the text beside it."""


def only(found: Sequence[T], at: str, what: str, several: str = "") -> T:
    """The single one of those that were found."""
    if not found:
        raise EditError(f"{at}: not there: {what}")
    if len(found) > 1:
        raise EditError(f"{at}: {what} stands {len(found)} times, expected once{several and f' ({several})'}")
    return found[0]


def line_of(text: str, index: int) -> int:
    """The line that a character stands on, counted as editors do."""
    return 1 + text.count("\n", 0, index) + text.count("\r", 0, index) - text.count("\r\n", 0, index)


def spelled(value: str, holds: Holds, escape: Callable[[str], str], special: str = "") -> str:
    """The value with the special characters escaped, and those that the encoding lacks."""
    if holds(value) and not any(char in special for char in value):
        return value
    return "".join(escape(char) if char in special or not holds(char) else char for char in value)


def utf16_escape(char: str) -> str:
    """A character as \\uXXXX, in two halves where it has two."""
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def folded(name: str) -> str:
    """A name as Windows and .NET compare names without case: character by character, none becomes two."""
    return "".join(upper if len(upper := char.upper()) == 1 else char for char in name)
