"""What the engine is asked for: one instance as its row says, and the environment that it runs in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

PROJECT = "hypercompose-instances"
"""Pulumi project of the stacks of instances."""
ENVIRONMENTS = "organization/hypercompose"
"""Where the stacks of environments are."""

FOLDER_VARIABLE = "HYPERCOMPOSE_INSTANCES"
"""Folder below which each stack has one of its own; the child process is told by it."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Everything that the program of an instance is told. Holds no secret."""

    site: str
    environment: str
    """Name of the environment's stack."""
    host: str
    """As the environment calls it."""
    name: str
    product: str
    version: str
    size: str
    tenant: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    route: str | None = None
    """The whole name that leads to it; None: none does."""
    run: str = "started"
    keep_volumes: bool = False

    @property
    def stack(self) -> str:
        """Name of its Pulumi stack."""
        return f"{self.environment}.{self.name}"

    @property
    def compose_project(self) -> str:
        """Name of its containers, networks and volumes on the host; no stack of an environment begins like this."""
        return f"i-{self.name}"

    @property
    def owner(self) -> str:
        """Whose it is, as its stack in Portainer says."""
        return f"{self.site}/{self.environment}/{self.compose_project}"

    @property
    def reference(self) -> str:
        """The environment's stack, for a StackReference."""
        return f"{ENVIRONMENTS}/{self.environment}"

    def to_json(self) -> str:
        """For the child process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        """As `to_json` wrote it."""
        return cls(**json.loads(text))
