"""Faults on demand: which answer, task, node, agent or lock misbehaves, and how often."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar


@dataclass
class CallFault:
    """The next `times` calls that match do not get their answer."""

    path: str
    """Regular expression searched in the path after /api2/json."""
    method: str | None = None
    times: int = 1
    status: int | None = None
    reason: str = ""
    message: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    hang: bool = False
    """No answer ever; ends when the client goes or faults are cleared."""
    drop: bool = False
    """The connection closes before the call is carried out."""
    drop_after: bool = False
    """The call is carried out, then the connection closes without an answer."""


@dataclass
class TaskFault:
    """The next `times` workers of a type take longer or end differently; a failed one does none of its work."""

    task: str
    times: int = 1
    exit: str = ""
    log: list[str] = field(default_factory=list)
    seconds: float | None = None


@dataclass
class Faults:
    """What is armed now."""

    calls: list[CallFault] = field(default_factory=list)
    tasks: list[TaskFault] = field(default_factory=list)
    offline_nodes: set[str] = field(default_factory=set)
    silent_agents: set[int] = field(default_factory=set)
    held_locks: set[int] = field(default_factory=set)

    def call(self, method: str, path: str) -> CallFault | None:
        """The fault for this call, used up once."""
        return _take(f for f in self.calls if f.method in (None, method) and re.search(f.path, path))

    def task(self, kind: str) -> TaskFault | None:
        """The fault for a worker of this type, used up once."""
        return _take(f for f in self.tasks if f.task == kind)

    def arm(self, spec: Mapping[str, Any]) -> None:
        """Add the fault a specification describes; ValueError says what is wrong with it."""
        if "path" in spec:
            self.calls.append(_made(CallFault, spec))
        elif "task" in spec:
            self.tasks.append(_made(TaskFault, spec))
        elif set(spec) <= {"offline_node", "silent_agent", "hold_lock"} and spec:
            self.offline_nodes |= {str(spec["offline_node"])} if "offline_node" in spec else set()
            self.silent_agents |= {int(spec["silent_agent"])} if "silent_agent" in spec else set()
            self.held_locks |= {int(spec["hold_lock"])} if "hold_lock" in spec else set()
        else:
            raise ValueError(f"not a fault: {dict(spec)!r}")

    def clear(self) -> None:
        """Back to normal."""
        for armed in (self.calls, self.tasks, self.offline_nodes, self.silent_agents, self.held_locks):
            armed.clear()


Armed = TypeVar("Armed", CallFault, TaskFault)


def _take(candidates: Iterable[Armed]) -> Armed | None:
    found = next((fault for fault in candidates if fault.times > 0), None)
    if found:
        found.times -= 1
    return found


def _made(kind: type[Armed], spec: Mapping[str, Any]) -> Armed:
    unknown = set(spec) - {item.name for item in fields(kind)}
    if unknown:
        raise ValueError(f"{kind.__name__}: unknown {', '.join(sorted(unknown))}")
    return kind(**spec)
