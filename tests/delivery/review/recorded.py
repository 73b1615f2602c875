"""Previews that the real engine made on the lab, values taken out (`value`), and what is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from delivery.review.preview import Change, Digest, digest
from delivery.review.redact import Redactor
from delivery.review.section import Reviewed

FOLDER = Path(__file__).with_name("recordings")
NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))
NOBODY = Redactor()


def text(name: str) -> str:
    """A recording as pulumi printed it."""
    return (FOLDER / f"{name}.json").read_text()


def said(name: str) -> dict[str, Any]:
    """A recording."""
    found: dict[str, Any] = json.loads(text(name))
    return found


def digested(name: str, stack: str = "acceptance") -> Digest:
    """A recording as names."""
    return digest(stack, text(name), 1 if name == "failed" else 0, NOBODY, "lab")


def reviewed(name: str, stack: str = "acceptance") -> Reviewed:
    """A recording without drift."""
    return Reviewed(digest=digested(name, stack))


def change(operation: str, kind: str, name: str, **more: Any) -> Change:
    """A change that nobody has recorded."""
    place = {"component_kind": "RockyAppVm", "component": "vm-1"}
    return Change(operation=operation, kind=kind, name=name, **{**place, **more})
