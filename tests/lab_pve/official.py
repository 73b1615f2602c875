"""The official API schema, read from the package `fakepve`: which calls there are, and what they take and answer."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]
UNKNOWN = "not in the schema"
UNDESCRIBED = {
    "/access/ticket": "cap",
    "/cluster/ha/groups": "type nodes comment",
    "/cluster/ha/groups/{}": "digest nofailback restricted",
    "/cluster/ha/resources": "type state comment",
    "/cluster/ha/rules": "type nodes resources comment",
    "/cluster/ha/rules/{}": "nodes resources comment digest disable strict",
    "/cluster/tasks": "node pid pstart starttime endtime type id user status",
    "/nodes": "id type disk maxdisk",
    "/nodes/{}/network/{}": "method6 families priority cidr autostart address netmask active exists comments vlan-id"
    " vlan-raw-device",
    "/nodes/{}/qemu/{}/status/current": "disk",
    "/nodes/{}/status": "uptime",
    "/nodes/{}/storage/{}/content": "content",
    "/nodes/{}/storage/{}/status": "used_fraction",
    "/storage": "type content digest path vgname thinpool shared",
    "/storage/{}": "type content digest path",
    "/pools": "name status",
    "/pools/{}": "name status",
}
"""Fields that Proxmox answers beyond its own schema, which describes many answers only in part."""


@cache
def paths() -> Mapping[str, Any]:
    """Methods by path pattern."""
    spec = importlib.util.find_spec("fakepve")
    assert spec is not None and spec.origin, "install fakepve: it holds the official schema"
    file = Path(spec.origin).parent / "data" / "pve-api.json.gz"
    found: Mapping[str, Any] = json.loads(gzip.decompress(file.read_bytes()))["paths"]
    return found


def plain(pattern: str) -> str:
    """A path pattern with nameless variables, so that two spellings of it compare."""
    return re.sub(r"\{[^}]+\}", "{}", pattern)


@cache
def _by_plain_path() -> Mapping[str, str]:
    return {plain(pattern): pattern for pattern in paths()}


def method(verb: str, pattern: str) -> Schema | None:
    """Schema of a call by a path pattern."""
    known = _by_plain_path().get(plain(pattern))
    found: Schema | None = paths()[known].get(verb) if known else None
    return found


def deviations(verb: str, pattern: str, params: Mapping[str, str], data: object) -> list[str]:
    """Where a call or its answer differs from the schema."""
    schema = method(verb, pattern)
    if schema is None:
        return [f"{verb} {pattern}: not in the schema"]
    found = [*_of_request(schema, params), *_of_value(schema.get("returns", {}), data, "data")]
    allowed = [f".{name}: {UNKNOWN}" for name in UNDESCRIBED.get(plain(pattern), "").split()]
    return [problem for problem in found if not problem.endswith(tuple(allowed))]


def _of_request(schema: Schema, params: Mapping[str, str]) -> Iterator[str]:
    known = _properties(schema.get("parameters", {}))
    for name, text in params.items():
        wanted = _property(known, name)
        if wanted is None:
            yield f"{name}: not a parameter of this call"
        elif problem := _of_text(wanted, text):
            yield f"{name}: {problem}"


def _properties(schema: Schema) -> Mapping[str, Any]:
    """Of a schema and the alternatives it is put together from."""
    found: dict[str, Any] = {}
    for part in [*schema.get("allOf", []), *schema.get("oneOf", [])]:
        found |= _properties(part)
    if "type-property" in schema:
        found |= {schema["type-property"]: {}}
    found |= schema.get("properties", {})
    return found


def _property(known: Mapping[str, Any], name: str) -> Schema | None:
    """`net0` is described as `net[n]`."""
    found: Schema | None = known.get(name) or known.get(re.sub(r"\d+$", "[n]", name))
    return found


def _of_text(wanted: Schema, text: str) -> str | None:
    kind = wanted.get("type", "string")
    if kind == "integer" and not re.fullmatch(r"-?\d+", text):
        return f"not an integer: {text!r}"
    if kind == "boolean" and text not in ("0", "1"):
        return f"not a boolean: {text!r}"
    if "enum" in wanted and text not in wanted["enum"]:
        return f"{text!r} is not one of {wanted['enum']}"
    return None


_FITS: Mapping[str, Any] = {
    "string": lambda value: isinstance(value, str | int | float),
    "integer": lambda value: isinstance(value, int) or re.fullmatch(r"-?\d+", str(value)),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: value in (0, 1) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def _of_value(wanted: Schema, value: object, where: str) -> Iterator[str]:
    kind = wanted.get("type")
    if value is None and (wanted.get("optional") or kind is None):
        return
    if kind is not None and kind in _FITS and not _FITS[kind](value):
        yield f"{where}: {value!r} is no {kind}"
    elif "enum" in wanted and value not in wanted["enum"]:
        yield f"{where}: {value!r} is not one of {wanted['enum']}"
    elif isinstance(value, list):
        for item in value:
            yield from _of_value(wanted.get("items", {}), item, f"{where}[]")
    elif isinstance(value, dict) and "properties" in wanted:
        yield from _of_object(wanted["properties"], value, where)


def _of_object(known: Mapping[str, Any], value: Mapping[str, object], where: str) -> Iterator[str]:
    for name, schema in known.items():
        if name not in value and not schema.get("optional") and "[n]" not in name:
            yield f"{where}.{name}: missing"
    for name, item in value.items():
        schema = _property(known, name)
        if schema is None:
            yield f"{where}.{name}: {UNKNOWN}"
        else:
            yield from _of_value(schema, item, f"{where}.{name}")
