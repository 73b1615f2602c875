"""Property values on the wire: marked secrets and unknowns inside a protobuf Struct."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, struct_pb2

# Constants of Pulumi's protocol (sdk/go/common/resource/properties.go and plugin/rpc.go).
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  (a marker, the same everywhere)
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def read(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A Struct as values, marks and all."""
    return dict(json_format.MessageToDict(struct))


def write(properties: dict[str, Any]) -> struct_pb2.Struct:
    """Values as a Struct."""
    struct = struct_pb2.Struct()
    struct.update(properties)
    return struct


def plain(value: Any) -> Any:
    """A value without its secret marks, at any depth; assets stay as they are described."""
    if isinstance(value, dict):
        return plain(value.get("value")) if is_secret(value) else {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def is_secret(value: Any) -> bool:
    """Whether a value is marked secret as a whole."""
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def holds_secret(value: Any) -> bool:
    """Whether anything in a value is marked secret."""
    if isinstance(value, dict):
        return is_secret(value) or any(map(holds_secret, value.values()))
    return isinstance(value, list) and any(map(holds_secret, value))


def secret(value: Any) -> dict[str, Any]:
    """A value, marked."""
    return {SIGNATURE: SECRET, "value": value}
