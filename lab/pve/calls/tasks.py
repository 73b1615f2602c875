"""Workers: their state, log and lists."""

from __future__ import annotations

from collections.abc import Iterable

from lab.pve.errors import invalid
from lab.pve.routing import Call, route
from lab.pve.state import Record, Task

DEFAULT_LIMIT = 50


@route("GET", "/nodes/{node}/tasks/{upid}/status")
async def status(call: Call) -> object:
    """Running, or stopped with an exit status."""
    task = _task(call)
    return _identity(task) | ({"status": "running"} if task.exitstatus is None else _ended(task))


@route("GET", "/nodes/{node}/tasks/{upid}/log")
async def log(call: Call) -> object:
    """Lines from `start`, numbered from 1."""
    first, limit = call.params.number("start", 0, minimum=0), call.params.number("limit", DEFAULT_LIMIT, minimum=0)
    lines = _task(call).log[first : first + limit]
    return [{"n": number, "t": line} for number, line in enumerate(lines, first + 1)]


@route("GET", "/nodes/{node}/tasks")
async def of_node(call: Call) -> object:
    """A node's tasks, newest first, filtered."""
    source, vmid = call.params.get("source", "archive"), call.params.get("vmid")
    found = [task for task in _visible(call) if task.node == call.node and _in_source(task, source)]
    found = [task for task in found if vmid in (None, task.id)]
    found = [task for task in found if call.params.get("typefilter", task.type) == task.type]
    if call.params.flag("errors"):
        found = [task for task in found if task.exitstatus not in (None, "OK")]
    first = call.params.number("start", 0, minimum=0)
    return [_listed(task) for task in found][first : first + call.params.number("limit", DEFAULT_LIMIT, minimum=0)]


@route("GET", "/cluster/tasks")
async def of_cluster(call: Call) -> object:
    """Recent tasks of all nodes."""
    return [_listed(task) for task in _visible(call)][:DEFAULT_LIMIT]


def _task(call: Call) -> Task:
    upid = call.names["upid"]
    if not upid.startswith("UPID:"):
        raise invalid(upid="unable to parse worker upid")
    task = call.cluster.state.tasks.get(upid)
    if task is None or task.node != call.node:
        raise invalid(upid="no such task")
    if task.user != call.user:
        call.require(f"/nodes/{call.node}", "Sys.Audit")
    return task


def _visible(call: Call) -> Iterable[Task]:
    newest_first = reversed(call.cluster.state.tasks.values())
    return (t for t in newest_first if t.user == call.user or call.may(f"/nodes/{t.node}", "Sys.Audit"))


def _in_source(task: Task, source: str) -> bool:
    return source == "all" or (task.exitstatus is None) == (source == "active")


def _identity(task: Task) -> Record:
    shown = ("upid", "node", "pid", "pstart", "starttime", "type", "id", "user")
    return {name: getattr(task, name) for name in shown}


def _ended(task: Task) -> Record:
    return {"status": "stopped", "exitstatus": task.exitstatus}


def _listed(task: Task) -> Record:
    ended = {} if task.exitstatus is None else {"endtime": task.endtime, "status": task.exitstatus}
    return _identity(task) | ended
