"""Reads request bodies as the real server's decoder does: names in any case, unknown ones ignored, `null` is absent."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from lab.portainer.replies import ApiError, invalid

_KINDS = {str: "string", bool: "bool", int: "int", list: "slice", dict: "map"}


class Payload:
    """The fields of one JSON object."""

    def __init__(self, fields: dict[str, Any]) -> None:
        """`fields` as they came in."""
        self._fields = {name.lower(): value for name, value in fields.items()}

    def has(self, name: str) -> bool:
        """Whether it is there and not null."""
        return self._fields.get(name.lower()) is not None

    def text(self, name: str) -> str:
        """A string; empty when absent."""
        return str(self._typed(name, str) or "")

    def flag(self, name: str) -> bool:
        """A boolean; false when absent."""
        return bool(self._typed(name, bool))

    def number(self, name: str) -> int:
        """An integer; 0 when absent."""
        return int(self._typed(name, int) or 0)

    def listed(self, name: str) -> list[Any] | None:
        """A list, or None when absent: the two differ in what is stored."""
        return self._typed(name, list)  # type: ignore[no-any-return]

    def mapped(self, name: str) -> dict[str, Any] | None:
        """An object, or None when absent."""
        return self._typed(name, dict)  # type: ignore[no-any-return]

    def nested(self, name: str) -> Payload | None:
        """An object as a payload, or None when absent."""
        found = self.mapped(name)
        return None if found is None else Payload(found)

    def pairs(self, name: str) -> list[dict[str, str]] | None:
        """Name and value pairs, as environment variables come; None when absent."""
        found = self.listed(name)
        if found is None:
            return None
        read = [Payload(item) for item in found if isinstance(item, dict)]
        return [{"name": item.text("name"), "value": item.text("value")} for item in read]

    def _typed(self, name: str, kind: type) -> Any:
        value = self._fields.get(name.lower())
        if value is None or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
            return value
        raise invalid(f"json: cannot unmarshal {json.dumps(value)} into Go struct field {name} of type {_KINDS[kind]}")


async def read(request: web.Request) -> Payload:
    """The request's body. 400 when it is not a JSON object."""
    return parsed(await request.text())


def parsed(text: str) -> Payload:
    """The first JSON value of a text; whatever follows is ignored, as a stream decoder does."""
    if not text.strip():
        raise invalid("EOF")
    try:
        value, _ = json.JSONDecoder().raw_decode(text.lstrip())
    except ValueError as error:
        raise invalid(syntax_error(text)) from error
    if value is not None and not isinstance(value, dict):
        raise invalid(f"json: cannot unmarshal {json.dumps(value)} into Go value of type struct")
    return Payload(value or {})


def syntax_error(text: str) -> str:
    """What the decoder says about a text that is not JSON."""
    words = {"n": "null", "t": "true", "f": "false"}
    if expected := words.get(text[:1]):
        return f"json: expected '{expected}' but found invalid token: {text}"
    return f"json: invalid token: {text[:40]}"


def query_number(request: web.Request, name: str, *, optional: bool = False) -> int:
    """A number of the query string; 0 when it is optional and absent."""
    value = request.query.get(name, "")
    if not value and optional:
        return 0
    if not value:
        raise ApiError(400, f"Invalid query parameter: {name}", "Missing query parameter")
    try:
        return int(value)
    except ValueError as error:
        details = f'strconv.Atoi: parsing "{value}": invalid syntax'
        raise ApiError(400, f"Invalid query parameter: {name}", details) from error
