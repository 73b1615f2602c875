"""The cluster's state on disk: one JSON file, replaced whole, so that a killed API starts again as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lab.pve.state import State, Task, Vm, Volume

KEPT_TASKS = 400


class StateFile:
    """Reads and atomically replaces `state.json` of the state directory."""

    def __init__(self, directory: Path) -> None:
        """The directory must exist."""
        self._path = directory / "state.json"
        self._written = ""

    def load(self) -> State:
        """The state as last written; an empty one when there is none."""
        if not self._path.exists():
            return State()
        return _revived(json.loads(self._path.read_text()))

    def save(self, state: State) -> None:
        """Write the state unless nothing changed; survives a kill at any moment."""
        for upid in list(state.tasks)[:-KEPT_TASKS]:
            del state.tasks[upid]
        text = json.dumps(state, default=vars, separators=(",", ":"))
        if text != self._written:
            replace_file(self._path, text.encode())
            self._written = text


def replace_file(path: Path, content: bytes) -> None:
    """Write beside, flush to disk, rename over; the file is private to its owner."""
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _revived(data: dict[str, Any]) -> State:
    data["vms"] = {int(vmid): Vm(**vm) for vmid, vm in data["vms"].items()}
    data["volumes"] = {key: Volume(**volume) for key, volume in data["volumes"].items()}
    data["tasks"] = {upid: Task(**task) for upid, task in data["tasks"].items()}
    return State(**data)
