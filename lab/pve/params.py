"""A call's parameters: text on the wire, typed here, with Proxmox's errors when they are not what they should be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from lab.pve.errors import invalid_option

MISSING = "property is missing and it is not optional"
_TRUE, _FALSE = ("1", "on", "yes", "true"), ("0", "off", "no", "false")


class Params(dict[str, str]):
    """Parameters by name."""

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        if name not in self:
            raise invalid_option(name, MISSING)
        return self[name]

    def number(self, name: str, default: int | None = None, *, minimum: int | None = None) -> int:
        """An integer; required unless there is a default."""
        if name not in self and default is not None:
            return default
        return integer(name, self.text(name), minimum)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean in any of the spellings that Proxmox takes."""
        return boolean(name, self[name]) if name in self else default


def integer(name: str, text: str, minimum: int | None = None) -> int:
    """Text as integer."""
    try:
        value = int(text)
    except ValueError:
        raise invalid_option(name, f"type check ('integer') failed - got '{text}'") from None
    if minimum is not None and value < minimum:
        raise invalid_option(name, f"value must have a minimum value of {minimum}")
    return value


def boolean(name: str, text: str) -> bool:
    """Text as boolean."""
    if text.lower() not in _TRUE + _FALSE:
        raise invalid_option(name, f"type check ('boolean') failed - got '{text}'")
    return text.lower() in _TRUE


def decoded(query: str, content_type: str, body: bytes) -> Params:
    """Query and body together; a body is a form unless it says that it is JSON."""
    params = Params(parse_qsl(query, keep_blank_values=True))
    if content_type.startswith("application/json") and body:
        params |= _from_json(json.loads(body))
    elif body:
        params |= parse_qsl(body.decode(), keep_blank_values=True)
    return params


def _from_json(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in values.items()}
