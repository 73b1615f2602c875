"""The engine's events, as far as they say what is being done to which resource."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WORDS = {
    "create": "creating",
    "create-replacement": "creating anew",
    "update": "updating",
    "delete": "deleting",
    "delete-replaced": "deleting the old one",
    "refresh": "reading",
    "read": "reading",
}
ENDS = ("resOutputsEvent", "resOpFailedEvent")
_COLOUR = re.compile(r"<\{%.*?%\}>")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A resource as people know it."""

    component: str
    """Type of the component that it belongs to, without its package; empty at the top."""
    kind: str
    name: str
    host: str
    """Address of the host that it is done on, where it is done on one and that is known."""

    def __str__(self) -> str:
        """`DockerHost vm-1-docker-packages (DockerPackages) on 10.0.0.1`."""
        at = f" on {self.host}" if self.host else ""
        return f"{self.component} {self.name} ({self.kind}){at}".strip()


@dataclass
class Doing:
    """A resource that something is being done to."""

    place: Place
    operation: str
    since: float
    said: str = ""


@dataclass(frozen=True)
class Finished:
    """One that it was done to, and how long that took."""

    place: Place
    operation: str
    seconds: float


@dataclass
class Run:
    """What the events so far say. Times are seconds of the caller's clock."""

    doing: dict[str, Doing] = field(default_factory=dict)
    finished: list[Finished] = field(default_factory=list)

    def take(self, line: str, now: float) -> None:
        """One line of the log; one that is cut or of another kind changes nothing."""
        try:
            event = json.loads(line)
        except ValueError:
            return
        if not isinstance(event, Mapping):
            return
        self._begin(_mapping(event.get("resourcePreEvent")), now)
        self._end(next((_mapping(event[name]) for name in ENDS if name in event), {}), now)
        self._said(_mapping(event.get("diagnosticEvent")))

    def _begin(self, event: Mapping[str, Any], now: float) -> None:
        about = _mapping(event.get("metadata"))
        operation, urn = str(about.get("op", "")), str(about.get("urn", ""))
        # A component lasts as long as what is in it, and says nothing of its own
        if operation in WORDS and not event.get("planning") and _state(about).get("custom"):
            self.doing[urn] = Doing(_place(urn, about), operation, now)

    def _end(self, event: Mapping[str, Any], now: float) -> None:
        found = self.doing.pop(str(_mapping(event.get("metadata")).get("urn", "")), None)
        if found is not None:
            self.finished.append(Finished(found.place, found.operation, now - found.since))

    def _said(self, event: Mapping[str, Any]) -> None:
        """How far it is, in the provider's own words: made to be shown, as the engine does."""
        found = self.doing.get(str(event.get("urn", "")))
        if found is not None and event.get("ephemeral"):
            found.said = one_line(_COLOUR.sub("", str(event.get("message", ""))))


def one_line(text: str) -> str:
    """Without what moves a cursor."""
    return "".join(c if c.isprintable() else " " for c in text.strip())[:120]


def _place(urn: str, about: Mapping[str, Any]) -> Place:
    """From the URN, and of the inputs the host's address alone."""
    kinds, _, name = urn.partition("::")[2].partition("::")[2].partition("::")
    chain = [kind.rpartition(":")[2] for kind in kinds.split("$")]
    inputs = _mapping(_state(about).get("inputs"))
    host = _mapping(inputs.get("connection")).get("host") or inputs.get("host")
    known = host if isinstance(host, str) and re.fullmatch(r"[0-9A-Za-z.:-]{1,64}", host) else ""
    component = chain[-2] if len(chain) > 1 else ""
    return Place(component=component, kind=chain[-1], name=one_line(name), host=known)


def _state(about: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(about.get("new")) or _mapping(about.get("old"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
