"""Settings as one level of path and value, for comparing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from delivery.environments.catalog import Environment

ABSENT = ""


def flat(environment: Environment) -> dict[str, str]:
    """Path -> value as text, of every setting in effect that is not as the types have it by default."""
    if environment.settings is None:
        return {}
    said = environment.settings.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return dict(_paths(said, ""))


def _paths(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _paths(inner, f"{at}.{name}" if at else str(name))
        if not value and at:
            yield at, "{}"
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for index, inner in enumerate(value):
            yield from _paths(inner, f"{at}[{index}]")
    elif isinstance(value, list):
        yield at, ", ".join(map(str, value))
    elif value is not None:
        yield at, str(value).lower() if isinstance(value, bool) else str(value)
