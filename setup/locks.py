"""Locks that dead processes left in a state. Never `pulumi cancel`: it drops everybody's."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from setup.report import say
from setup.session import Session
from setup.state.runs import runs_file, was_started_here
from setup.state.store import store_at


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Who holds a stack, as the engine writes it."""

    pid: int
    user: str
    host: str
    since: datetime

    @property
    def is_dead(self) -> bool:
        """Whether it names this machine and a process that does not exist any more."""
        return self.host == socket.gethostname() and not _alive(self.pid)

    def __str__(self) -> str:
        """For people."""
        return f"{self.user}@{self.host}, process {self.pid}, since {self.since:%Y-%m-%d %H:%M:%S %Z}"


def remove_stale_locks(session: Session) -> list[str]:
    """Remove the stack's locks whose process ran on this machine and is gone; says so for each."""
    store = store_at(session.site.backend, session.environment())
    if store is None:
        return []
    found = ((name, lock_of(content)) for name, content in store.locks(session.stack).items())
    gone = [name for name, lock in found if lock and is_stale(session, lock)]
    for name in gone:
        store.blobs.remove(name)
        say(f"state: removed the lock of a dead process ({Path(name).name})")
    return gone


def is_stale(session: Session, lock: Lock) -> bool:
    """Whether nobody holds it. Two machines that share a bucket may have one name: there our own note must agree."""
    if not lock.is_dead:
        return False
    on_this_machine = session.site.backend.startswith("file://")
    return on_this_machine or was_started_here(runs_file(session), lock.pid, lock.since.timestamp())


def lock_of(content: bytes) -> Lock | None:
    """Read a lock; None for what is being written, or is none: not ours to judge."""
    try:
        said = json.loads(content)
        since = datetime.fromisoformat(str(said.get("timestamp", "1970-01-01T00:00:00Z")))
        return Lock(pid=int(said["pid"]), user=str(said.get("username")), host=str(said["hostname"]), since=since)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _alive(pid: int) -> bool:
    """Whether a process with that id exists; one of another user counts."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    # A process id is used again some day: a pulumi's lock held by a shell is no lock.
    command = Path(f"/proc/{pid}/cmdline")
    return not command.exists() or b"pulumi" in command.read_bytes().split(b"\0")[0]
