"""Property values on the wire: secrets and unknowns are marked structures inside a protobuf Struct."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from google.protobuf import json_format, struct_pb2

# Signatures of Pulumi's wire format; a test compares them with the SDK's, whose import takes half a second
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value that is not known before `up`."""

    def __repr__(self) -> str:
        """Show as `unknown`."""
        return "unknown"


UNKNOWN: Final = Unknown()


def read(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A Struct as plain values: secrets unwrapped, unknowns as UNKNOWN, whole numbers as int."""
    return {name: _plain(value) for name, value in json_format.MessageToDict(struct).items()}


def write(properties: Mapping[str, Any], secret: Collection[str] = ()) -> struct_pb2.Struct:
    """Plain values as a Struct; the properties named in `secret` are marked, UNKNOWN stays unknown."""
    struct = struct_pb2.Struct()
    struct.update({name: _wire(value, name in secret) for name, value in properties.items()})
    return struct


def is_known(value: Any) -> bool:
    """Whether nothing inside `value` is unknown."""
    if isinstance(value, Mapping):
        return all(map(is_known, value.values()))
    if isinstance(value, list):
        return all(map(is_known, value))
    return value is not UNKNOWN


def holds_secret(value: struct_pb2.Value) -> bool:
    """Whether a wire value is marked secret, or anything inside it is."""
    if value.HasField("list_value"):
        return any(map(holds_secret, value.list_value.values))
    if not value.HasField("struct_value"):
        return False
    fields = value.struct_value.fields
    if SIGNATURE in fields:
        return fields[SIGNATURE].string_value == SECRET
    return any(map(holds_secret, fields.values()))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return _plain(value.get("value"))
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return UNKNOWN if value == UNKNOWN_TEXT else value


def _wire(value: Any, secret: bool = False) -> Any:
    if secret and value is not UNKNOWN:
        return {SIGNATURE: SECRET, "value": _wire(value)}
    if isinstance(value, Mapping):
        return {name: _wire(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_wire(inner) for inner in value]
    return UNKNOWN_TEXT if value is UNKNOWN else value
