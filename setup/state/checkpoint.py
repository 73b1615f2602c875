"""A checkpoint: what the engine keeps of a stack, read with suspicion, and whose it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from setup.state import integrity
from setup.state.likeness import essence
from setup.state.store import PROJECT, plain

VERSIONS = (3, 4)
"""Of the engine's schema: what it writes today, and what this project's first engine wrote."""
CLAIM = "hypercompose:site:Claim"
URN = re.compile(r"urn:pulumi:(?P<stack>[^:]+)::(?P<project>[^:]+)::")


class Unreadable(Exception):
    """These bytes are no checkpoint; the text says what is wrong with them."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose state it is to be."""

    stack: str
    site: str
    project: str = PROJECT


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint or an export of one."""

    content: Mapping[str, Any]

    @property
    def version(self) -> int:
        """Of the engine's schema."""
        return int(self.content["version"])

    @cached_property
    def deployment(self) -> Mapping[str, Any]:
        """Resources, pending operations, manifest. Empty for a stack that never ran."""
        kept = self.content.get("checkpoint") or {}
        return self.content.get("deployment") or kept.get("latest") or {}

    @property
    def export(self) -> dict[str, Any]:
        """As `pulumi stack export` gives it; secrets stay as they are, encrypted."""
        features = {"features": self.content["features"]} if self.content.get("features") else {}
        return {"version": self.version, **features, "deployment": self.deployment}

    @property
    def resources(self) -> list[Mapping[str, Any]]:
        """All of them; call it once integrity is known."""
        return list(self.deployment.get("resources") or [])

    @property
    def pending(self) -> int:
        """How many operations a run did not finish."""
        return len(self.deployment.get("pending_operations") or [])

    @property
    def written(self) -> datetime:
        """When the engine wrote it; the beginning of time where it does not say."""
        said = mapping(self.deployment.get("manifest")).get("time")
        try:
            return datetime.fromisoformat(str(said)).astimezone(UTC)
        except (ValueError, OverflowError):
            return datetime.fromtimestamp(0, UTC)

    @property
    def site(self) -> str | None:
        """The site that the state says it belongs to; None while it does not say."""
        claims = [r for r in self.resources if r["type"] == CLAIM]
        said = [mapping(r.get(side)).get("siteId") for r in claims for side in ("outputs", "inputs")]
        return next((str(site) for site in said if site is not None), None)

    def is_same_as(self, other: Checkpoint) -> bool:
        """Whether both hold the same, however the engine wrote it down."""
        return essence(self.deployment) == essence(other.deployment)

    def faults(self, owner: Owner) -> Iterator[str]:
        """Why this state must not be used, worst first: it does not fit together, or it is somebody else's."""
        if not self.deployment:
            return
        broken = list(integrity.faults(self.deployment))
        yield from broken
        if not broken:
            yield from self._foreign(owner)

    def _foreign(self, owner: Owner) -> Iterator[str]:
        named = {found.groups() for r in self.resources if (found := URN.match(str(r["urn"])))}
        strangers = sorted(named - {(owner.stack, owner.project)})
        if strangers:
            stack, project = strangers[0]
            yield f"it is the state of stack {stack!r} of project {project!r}"
        if self.site not in (None, owner.site):
            yield f"it belongs to site {self.site!r}, and this run is for site {owner.site!r}"


def read(content: bytes) -> Checkpoint:
    """Read what the engine keeps, or an export. Raises Unreadable."""
    try:
        found = json.loads(plain(content))
    except (ValueError, RecursionError) as error:
        size = f"{len(content)} bytes"
        raise Unreadable(
            f"it is not whole: {error or 'nested without end'} ({size})" if content else "it is empty"
        ) from None
    if not isinstance(found, dict) or not _has_shape(found):
        raise Unreadable("it is JSON, but no state of Pulumi's")
    if found["version"] not in VERSIONS:
        raise Unreadable(
            f"its version is {found['version']!r}, and this engine writes {VERSIONS[-1]}; use the newer engine"
        )
    return Checkpoint(found)


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is a mapping, else an empty one: what is read may hold anything."""
    return value if isinstance(value, dict) else {}


def _has_shape(found: Mapping[str, Any]) -> bool:
    """A version, and a checkpoint or a deployment under their names."""
    holder = found.get("checkpoint", found)
    inner: list[Any] = [holder, holder.get("latest") or {}] if isinstance(holder, dict) else [None]
    inner.append(found.get("deployment") or {})
    known = "checkpoint" in found or "deployment" in found
    return known and type(found.get("version")) is int and all(isinstance(part, dict) for part in inner)
