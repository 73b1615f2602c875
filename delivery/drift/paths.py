"""Property paths as the engine writes them, `a.b["c.d"][0]`, and the values at them, secrets masked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from provider.values import SECRET, SIGNATURE

MASK = "[secret]"
_PART = re.compile(r'\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\.?([^.\[]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def value_at(properties: Any, path: str) -> Any:
    """The value at a path, masked where it is or holds a secret; None where there is none."""
    found = properties
    for part in _parts(path):
        if is_secret(found):
            return MASK
        if isinstance(found, list) and isinstance(part, int):
            found = found[part] if part < len(found) else None
        elif isinstance(found, Mapping):
            found = found.get(str(part))
        else:
            return None
    return masked(found)


def root(path: str) -> str:
    """The property that a path starts with."""
    return str(next(_parts(path), ""))


def masked(value: Any) -> Any:
    """The same value without what is secret in it."""
    if is_secret(value):
        return MASK
    if isinstance(value, Mapping):
        return {name: masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return value


def is_secret(value: Any) -> bool:
    """Whether the engine has marked it, or masked it already."""
    return value == MASK or (isinstance(value, Mapping) and value.get(SIGNATURE) == SECRET)


def _parts(path: str) -> Iterator[str | int]:
    for index, quoted, name in _PART.findall(path):
        if index:
            yield int(index)
        else:
            yield _ESCAPED.sub(r"\1", quoted[1:-1]) if quoted else name
