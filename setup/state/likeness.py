"""What of a state counts: two that differ only in how the engine happened to write them are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BY_CHANCE = frozenset({"stackTrace", "sourcePosition"})
"""Of a resource: where the program stood when it declared it."""
NEW_EACH_TIME = "ciphertext"
"""A secret is encrypted anew by each run (measured). Another value is an update, which `modified` tells."""
SETS = frozenset({"dependencies", "propertyDependencies"})


def essence(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """The deployment without its date, its order, its source positions and its ciphertexts."""
    resources = [_essence(resource) for resource in deployment.get("resources") or []]
    resources.sort(key=lambda r: (str(r.get("urn")), str(r.get("id")), str(r.get("delete"))))
    rest = {name: value for name, value in deployment.items() if name not in ("manifest", "resources")}
    return {**rest, "resources": resources}


def _essence(resource: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in resource.items() if name not in BY_CHANCE}
    return {name: _in_order(value) if name in SETS else _plain(value) for name, value in kept.items()}


def _in_order(value: Any) -> Any:
    if isinstance(value, list):
        return sorted(map(str, value))
    return {name: _in_order(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if name != NEW_EACH_TIME}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
