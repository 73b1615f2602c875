"""What a check finds on a host: nested mappings of text and lists of text, and their form on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]
"""Nested; the leaves are strings or sequences of strings."""
NOTES = "#"
"""Facts below it are told, not compared."""

_ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\t": "\t"}


def to_lines(facts: Facts) -> str:
    """The lines that `fact` prints for these facts, sorted as `sort` does in the C locale."""
    return "\n".join(sorted(_lines(facts, ()), key=lambda line: line.encode()))


def from_lines(text: str) -> dict[str, Any]:
    """The facts that a check printed. Later lines win."""
    found: dict[str, Any] = {}
    for line in filter(None, text.split("\n")):
        parts = [_unescaped(part) for part in line.split("\t")]
        at = next((index for index, part in enumerate(parts) if part in (":=", "::")), None)
        if at is None:
            continue
        below = found
        for part in parts[: at - 1]:
            below = below.setdefault(part, {})
        below[parts[at - 1]] = "\t".join(parts[at + 1 :]) if parts[at] == ":=" else parts[at + 1 :]
    return found


def differences(wanted: Facts, found: Facts, where: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Path, what was found and what is wanted, for each leaf that differs."""
    for name in sorted({*wanted, *found} - {NOTES}):
        want, have, path = wanted.get(name), found.get(name), (*where, name)
        if isinstance(want, Mapping) or isinstance(have, Mapping):
            yield from differences(_mapping(want), _mapping(have), path)
        elif _plain(want) != _plain(have):
            yield path, have, want


def like(found: Any, example: Any) -> Any:
    """What was found, in the types of what was asked for: "10" becomes 10 where a number was asked for."""
    if isinstance(example, Mapping) and isinstance(found, Mapping):
        return {name: like(value, example.get(name)) for name, value in found.items()}
    if isinstance(example, bool) and found in ("true", "false"):
        return found == "true"
    if isinstance(example, int) and isinstance(found, str) and re.fullmatch(r"-?\d+", found):
        return int(found)
    if isinstance(example, Sequence) and not isinstance(example, str) and isinstance(found, Sequence):
        kind = example[0] if example else None
        items = [like(item, kind) for item in found]
        return list(example) if sorted(map(str, items)) == sorted(map(str, example)) else items
    return found


def text_of(value: Any) -> str:
    """A value as a shell sees it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _lines(facts: Facts, where: tuple[str, ...]) -> Iterator[str]:
    for name, value in facts.items():
        path = (*where, name)
        if isinstance(value, Mapping):
            yield from _lines(value, path)
        elif isinstance(value, str):
            yield _line(*path, ":=", value)
        else:
            yield _line(*path, "::", *value)


def _line(*parts: str) -> str:
    return "\t".join(p.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") for p in parts)


def _unescaped(part: str) -> str:
    return re.sub(r"\\[\\nt]", lambda found: _ESCAPES[found[0]], part)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else list(value)
