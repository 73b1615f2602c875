"""Recorded output of the engine, see tests/data/drift/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from delivery.drift.events import gather
from delivery.drift.examine import Subject, report_of
from delivery.drift.report import Examined, Report

FOLDER = Path(__file__).parents[2] / "data" / "drift"
SUBJECT = Subject(stack="apps", site="lab-e2e", at="2026-11-25T17:00:00Z")


def lines(name: str) -> list[str]:
    return (FOLDER / f"{name}.jsonl").read_text().splitlines()


def state() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "state.json").read_text())
    return found


def report(name: str, *more: str) -> Report:
    """The report on a recording; `more` lines come after it."""
    return report_of(SUBJECT, state(), gather([*lines(name), *more]))


def named(found: Report, name: str) -> Examined:
    return next(one for one in found.resources if one.name == name)
