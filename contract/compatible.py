"""What a change of the contract takes away from those who read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def breaking(old: Schema, new: Schema) -> list[str]:
    """Each field that was removed, retyped or made optional between two JSON Schemas; a reader may rely on any."""
    return list(_breaking(old, new, (old, new), ""))


def _breaking(old: Schema, new: Schema, roots: tuple[Schema, Schema], at: str) -> Iterator[str]:
    old, new = _resolved(old, roots[0]), _resolved(new, roots[1])
    lost = _types(old, roots[0]) ^ _types(new, roots[1])
    if lost:
        yield f"{at or '(top level)'}: was {_said(old, roots[0])}, is {_said(new, roots[1])}"
        return
    for name, field in old.get("properties", {}).items():
        where = f"{at}.{name}" if at else name
        if name not in new.get("properties", {}):
            yield f"{where}: was removed"
            continue
        if name in old.get("required", ()) and name not in new.get("required", ()):
            yield f"{where}: was always there, is optional"
        yield from _breaking(field, new["properties"][name], roots, where)
    for below in ("additionalProperties", "items"):
        if isinstance(old.get(below), Mapping) and isinstance(new.get(below), Mapping):
            yield from _breaking(old[below], new[below], roots, f"{at}.*")
    yield from _breaking_values(old, new, at)


def _breaking_values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    """New values are fine where old ones were an example; a reader of an enumeration handles those it knows."""
    for rule in ("pattern", "const"):
        if old.get(rule) != new.get(rule):
            yield f"{at}: {rule} was {old.get(rule)!r}, is {new.get(rule)!r}"
    if "enum" in old and not set(new.get("enum", ())) <= set(old["enum"]):
        yield f"{at}: may be {sorted(set(new.get('enum', ())) - set(old['enum']))} now"


def _types(schema: Schema, root: Schema) -> frozenset[str]:
    if "anyOf" in schema:
        return frozenset(kind for one in schema["anyOf"] for kind in _types(_resolved(one, root), root))
    return frozenset([str(schema.get("type", "any"))])


def _said(schema: Schema, root: Schema) -> str:
    return " or ".join(sorted(_types(schema, root)))


def _resolved(schema: Schema, root: Schema) -> Schema:
    """What a `$ref` stands for."""
    found: Any = schema
    while "$ref" in found:
        found = root["$defs"][found["$ref"].rpartition("/")[2]]
    return dict(found)
