"""Stacks on the lab's site, without a lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.preflight.scope import Scope, open_scope

VM: dict[str, Any] = {"name": "vm-a", "first_id": 1100, "networks": [{"bridge": "vmbr0", "address": "10.77.0.11/24"}]}
GUESTBOOK: dict[str, Any] = {"project": "guestbook", "ports": {"web": 8080}, "sources": ["10.77.0.0/24"]}
PORTAINER: dict[str, Any] = {"sources": ["10.77.0.0/24"]}


def write_stack(folder: Path, patch: pytest.MonkeyPatch, other: dict[str, Any], **settings: Any) -> None:
    """Settings of stack `dev`; `other` are keys outside of the project's own."""
    config = {f"hypercompose:{name}": value for name, value in {"site": "lab", **settings}.items()} | other
    file = folder / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump({"config": config}))
    patch.setenv("PULUMI_OPTION_CONFIG_FILE", str(file))


def scope_of(folder: Path, patch: pytest.MonkeyPatch, *, other: Any = None, **settings: Any) -> Scope:
    """The scope of stack `dev` with these settings."""
    write_stack(folder, patch, other or {}, **settings)
    scope, _ = open_scope("dev")
    assert scope is not None
    return scope
