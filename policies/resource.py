"""A resource as a rule sees it: plain values, with what is secret and what is not known yet told apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provider.values import UNKNOWN

LONGEST = 120


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Type, name and inputs. `secret`: paths of what is marked secret."""

    type: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()
    protect: bool = False

    def get(self, path: str) -> Any:
        """The value at `connection.host_key`: None where there is none, UNKNOWN before it is known."""
        found: Any = self.properties
        for part in path.split("."):
            if found is UNKNOWN:
                return UNKNOWN
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def is_marked(self, path: str) -> bool:
        """Whether the value at a path is marked secret, or something that it is inside of."""
        return any(f"{path}.".startswith(f"{one}.") for one in self.secret)


def items(value: Any) -> Sequence[Any]:
    """The entries of a list; none where it is something else, or unknown."""
    return value if isinstance(value, list | tuple) else ()


def pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """The entries of a mapping, likewise."""
    yield from value.items() if isinstance(value, Mapping) else ()


def shown(value: Any) -> str:
    """A value as a message shows it: JSON, in one line, cut."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
