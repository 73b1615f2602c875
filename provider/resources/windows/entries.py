"""Entries of a service as inputs hold them: file -> selector -> something, what is secret apart from the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provider.values import is_known
from provisioning.companion.records import Selected

Place = tuple[str, str]
"""File and selector."""


class Entries:
    """The input `entries`: file -> selector -> `format`, `encoding`, `secret`, `keep`."""

    def __init__(self, inputs: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Take the input."""
        self._all = {(file, at): told for file, below in inputs.items() for at, told in below.items()}

    @property
    def selected(self) -> list[Selected]:
        """Each, as shares know it."""
        return [
            Selected(file=file, at=at, format=str(told["format"]), encoding=str(told.get("encoding") or "auto"))
            for (file, at), told in self._all.items()
        ]

    @property
    def kept(self) -> list[Place]:
        """Those that are taken as they are."""
        return [place for place, told in self._all.items() if told.get("keep")]

    def has(self, place: Place) -> bool:
        """Whether it is one of them."""
        return place in self._all

    def is_secret(self, place: Place) -> bool:
        """Whether nobody may read its value."""
        return bool(self._all.get(place, {}).get("secret"))

    def value(self, entry: Selected, values: Mapping[Place, Any]) -> str | None:
        """What it is to become; None where it is kept."""
        place = (entry.file, entry.at)
        return None if self._all[place].get("keep") else str(values[place])


def values_in(inputs: Mapping[str, Any], name: str) -> dict[Place, Any]:
    """Values by place, of both halves; where a whole half is unknown, nothing is known of it."""
    halves_ = (inputs.get(name), inputs.get(_secret(name)))
    known = [half for half in halves_ if isinstance(half, Mapping)]
    return {(file, at): value for half in known for file, below in half.items() for at, value in _mapping(below)}


def halves(name: str, values: Mapping[Place, Any], entries: Entries) -> dict[str, Any]:
    """The two inputs that hold values: the one that is shown, and the one that is not."""
    shown = {place: value for place, value in values.items() if not entries.is_secret(place)}
    hidden = {place: value for place, value in values.items() if entries.is_secret(place)}
    return {name: _nested(shown), _secret(name): _nested(hidden)}


def _secret(name: str) -> str:
    return f"secret{name[0].upper()}{name[1:]}"


def _mapping(below: Any) -> list[tuple[str, Any]]:
    return list(below.items()) if isinstance(below, Mapping) and is_known(list(below)) else []


def _nested(values: Mapping[Place, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for (file, at), value in values.items():
        found.setdefault(file, {})[at] = value
    return found
