"""Environment values of a stack, written so that they reach the containers byte for byte.

Portainer writes `NAME=VALUE` lines into stack.env as they are, and compose reads that file as dotenv: `$`, quotes, `#`,
backslashes and line ends mean something there. Inside double quotes each of them can be escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r"}
_BACK = {escape[1]: char for char, escape in _ESCAPES.items()}


def encoded(value: str) -> str:
    """As it is where nothing in it has a meaning, else in double quotes."""
    if _PLAIN.fullmatch(value):
        return value
    return '"' + "".join(_ESCAPES.get(char, char) for char in value) + '"'


def decoded(text: str) -> str:
    """The value of what `encoded` wrote; text by other hands stays as it is."""
    if len(text) < 2 or not (text.startswith('"') and text.endswith('"')):
        return text
    return re.sub(r"\\(.)", lambda found: _BACK.get(found[1], found[0]), text[1:-1], flags=re.DOTALL)


def to_pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """As the API takes them, by name."""
    return [{"name": name, "value": encoded(values[name])} for name in sorted(values)]


def from_pairs(pairs: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """As the API gives them; it says null for none."""
    return {str(pair["name"]): decoded(str(pair.get("value", ""))) for pair in pairs or ()}


def to_env_file(values: Mapping[str, str]) -> str:
    """The file that compose itself reads."""
    return "".join(f"{pair['name']}={pair['value']}\n" for pair in to_pairs(values))
