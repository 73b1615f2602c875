"""A stack's drift report as the comment tells it: verdict, counts, names of resources and properties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery.review.preview import PreviewError

VERDICTS = ("clean", "drifted", "unknown")


@dataclass(frozen=True, kw_only=True)
class DriftedResource:
    """A resource that is not, or may not be, as the state says."""

    component: str
    name: str
    is_unknown: bool
    properties: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What `make drift` found."""

    verdict: str
    at: str
    changes: int
    unknown: int
    resources: tuple[DriftedResource, ...]


def read_drift(text: str) -> Drift:
    """A report of `make drift ARGS=--json`. Raises PreviewError; a verdict that is not known counts as unknown."""
    try:
        found = json.loads(text)
        return Drift(
            verdict=found["verdict"] if found["verdict"] in VERDICTS else "unknown",
            at=str(found.get("at", "")),
            changes=int(found.get("changes", 0)),
            unknown=int(found.get("unknown", 0)),
            resources=tuple(_resource(r) for r in found.get("resources") or () if r.get("status") != "clean"),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise PreviewError("drift report: not one of `make drift ARGS=--json`; make it anew") from None


def _resource(found: Mapping[str, Any]) -> DriftedResource:
    return DriftedResource(
        component=str(found.get("component") or ""),
        name=str(found.get("urn") or "").rpartition("::")[2],
        is_unknown=found.get("status") != "drifted",
        properties=tuple(str(change.get("property")) for change in found.get("changes") or ()),
    )
