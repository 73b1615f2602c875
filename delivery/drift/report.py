"""What a drift report says: each resource with what was recorded and what is there now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What is known of a resource; of the whole stack it is the verdict."""

    CLEAN = "clean"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"


EXIT_CODES: Mapping[Status, int] = {Status.CLEAN: 0, Status.DRIFTED: 2, Status.UNKNOWN: 3}
"""1 is for a report that could not be made."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One property that is not as recorded. Secrets are masked in both values; None: not there."""

    property: str
    recorded: Any
    found: Any

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"property": self.property, "recorded": self.recorded, "found": self.found}


@dataclass(frozen=True, kw_only=True)
class Examined:
    """One resource of the state."""

    urn: str
    component: str
    """Type of the component that it belongs to, `HostBaseline`."""
    kind: str
    """Its own type, `Sysctl`."""
    host: str
    """Empty where it belongs to the site."""
    status: Status
    reason: str = ""
    """Why nothing is known of it, or why there is nothing to read."""
    changes: tuple[Change, ...] = ()
    next: str = ""
    """What `up --refresh` does: `update`, `replace`, `create`, `delete`, `same`; empty where that is not known."""

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.rpartition("::")[2]

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        own = {"urn": self.urn, "component": self.component, "kind": self.kind, "host": self.host}
        changes = [change.document() for change in self.changes]
        return {**own, "status": self.status, "reason": self.reason, "changes": changes, "next": self.next}


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A resource of which the settings want something else than what was applied last. No drift."""

    urn: str
    component: str
    kind: str
    host: str
    operation: str
    properties: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.rpartition("::")[2]

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        own = {"urn": self.urn, "component": self.component, "kind": self.kind, "host": self.host}
        return {**own, "operation": self.operation, "properties": list(self.properties)}


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that one run has found."""

    stack: str
    site: str
    at: str
    """UTC, ISO 8601."""
    resources: tuple[Examined, ...]
    pending: tuple[Pending, ...] = ()
    unplanned: str = ""
    """Why it is not known what the next `up` does; empty where it is."""

    def count(self, status: Status) -> int:
        """How many resources have it."""
        return sum(found.status is status for found in self.resources)

    @property
    def changes(self) -> int:
        """How many properties are not as recorded."""
        return sum(len(found.changes) for found in self.resources)

    @property
    def verdict(self) -> Status:
        """What is known for certain comes first: drift is drift, whatever else could not be read."""
        for status in (Status.DRIFTED, Status.UNKNOWN):
            if self.count(status):
                return status
        return Status.CLEAN

    @property
    def exit_code(self) -> int:
        """See EXIT_CODES."""
        return EXIT_CODES[self.verdict]

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "stack": self.stack,
            "site": self.site,
            "at": self.at,
            "verdict": self.verdict,
            "changes": self.changes,
            "unknown": self.count(Status.UNKNOWN),
            "resources": [found.document() for found in self.resources],
            "pending": [found.document() for found in self.pending],
            "unplanned": self.unplanned,
        }
