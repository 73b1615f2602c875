"""Workers: each long call starts one, answers its UPID at once, and the caller polls until it has an exit status."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from lab.hypervisor import HypervisorError
from lab.pve.errors import ApiError
from lab.pve.faults import Faults
from lab.pve.state import State, Task
from lab.world import World

Log = Callable[[str], None]
Work = Callable[[Log], Awaitable[None]]
CRASHED = "unexpected status"
"""Exit status Proxmox shows for a worker that vanished without a last line in its log."""

logger = logging.getLogger(__name__)


class Tasks:
    """Starts workers and keeps their records."""

    def __init__(self, world: World, state: State, faults: Faults, on_change: Callable[[], None]) -> None:
        """`on_change` is called when a worker has ended."""
        self._seconds = world.task_seconds
        self._state = state
        self._faults = faults
        self._on_change = on_change
        self._workers: set[asyncio.Task[None]] = set()

    def start(
        self, node: str, kind: str, about: str | int, user: str, work: Work, on_failure: Work | None = None
    ) -> str:
        """Run `work` in the background and answer the UPID; `on_failure` cleans up after a failed worker."""
        task = self._record(node, kind, str(about), user)
        worker = asyncio.create_task(self._run(task, work, on_failure))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
        return task.upid

    def fail_unfinished(self) -> None:
        """After a crash: workers that never wrote an end count as failed."""
        for task in self._state.tasks.values():
            if task.exitstatus is None:
                _finish(task, CRASHED)

    async def abandon(self) -> None:
        """Stop all workers where they are, as a crash of the node would."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def _record(self, node: str, kind: str, about: str, user: str) -> Task:
        self._state.sequence += 1
        number, now = self._state.sequence, int(time.time())
        pid, pstart = 0x1000 + number, 0x5000 + number
        about_text = quote(about, safe="/")
        upid = f"UPID:{node}:{pid:08X}:{pstart:08X}:{now:08X}:{kind}:{about_text}:{user}:"
        task = Task(upid=upid, node=node, type=kind, id=about, user=user, pid=pid, pstart=pstart, starttime=now)
        self._state.tasks[upid] = task
        return task

    async def _run(self, task: Task, work: Work, on_failure: Work | None) -> None:
        fault = self._faults.task(task.type)
        seconds = self._seconds.get(task.type, self._seconds.get("default", 0.0))
        await asyncio.sleep(seconds if fault is None or fault.seconds is None else fault.seconds)
        exitstatus = fault.exit if fault and fault.exit else "OK"
        if exitstatus == "OK" or exitstatus.startswith("WARNINGS"):
            exitstatus = await _outcome(work, task, exitstatus)
        if on_failure and exitstatus != "OK" and not exitstatus.startswith("WARNINGS"):
            await _outcome(on_failure, task, exitstatus)
        task.log = fault.log if fault and fault.log else [*task.log, _last_line(exitstatus)]
        _finish(task, exitstatus)
        self._on_change()


async def _outcome(work: Work, task: Task, exitstatus: str) -> str:
    try:
        await work(task.log.append)
    except (ApiError, HypervisorError) as error:
        return str(error)
    except Exception as error:
        logger.exception("worker %s", task.upid)
        return f"lab: {error!r}"
    return exitstatus


def _finish(task: Task, exitstatus: str) -> None:
    task.exitstatus, task.endtime = exitstatus, int(time.time())


def _last_line(exitstatus: str) -> str:
    if exitstatus == "OK" or exitstatus.startswith("WARNINGS"):
        return f"TASK {exitstatus}"
    return f"TASK ERROR: {exitstatus}"
