"""Locks that dead processes left in a state folder. Never `pulumi cancel`: it drops everybody's."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from setup.report import say

PROJECT = "hypercompose"


def remove_stale_locks(backend: str, stack: str) -> list[Path]:
    """Remove the stack's locks whose process ran on this machine and is gone; says so for each."""
    if not backend.startswith("file://"):
        return []  # in a bucket, who is alive can only be known by the owner's own machine
    folder = Path(backend.removeprefix("file://")) / ".pulumi" / "locks" / "organization" / PROJECT / stack
    gone = [file for file in sorted(folder.glob("*.json")) if is_stale(file)]
    for file in gone:
        file.unlink(missing_ok=True)
        say(f"state: removed the lock of a dead process ({file.name})")
    return gone


def is_stale(lock: Path) -> bool:
    """Whether the lock names this machine and a process that does not exist any more."""
    try:
        holder = json.loads(lock.read_text())
        pid, host = int(holder["pid"]), str(holder["hostname"])
    except (OSError, ValueError, KeyError, TypeError):
        return False  # being written, or not a lock: not ours to judge
    return host == socket.gethostname() and not _alive(pid)


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
