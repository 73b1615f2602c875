"""Processes of labs on this machine, told apart by what they say they are."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lab.machine import run


def supervisor_command(site_file: Path, directory: Path) -> list[str]:
    """Command line of a supervisor, by which it is known later."""
    return [sys.executable, "-m", "lab", "serve", f"--site={site_file}", f"--dir={directory}"]


def supervisors() -> Iterator[tuple[int, Path]]:
    """Process id and lab folder of every supervisor that runs on this machine."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (lab := _lab_of(int(folder.name))):
            yield int(folder.name), lab


def supervisor_of(directory: Path) -> int | None:
    """Process id of a lab's supervisor; None when it does not run."""
    return next((pid for pid, lab in supervisors() if lab == directory), None)


def process_with(*words: str) -> int | None:
    """Process id of whatever has these words side by side in its command line."""
    sought = b"\0".join((b"", *(word.encode() for word in words), b""))
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with suppress(OSError):
                if sought in (folder / "cmdline").read_bytes():
                    return int(folder.name)
    return None


def end(pid: int, patience_s: float) -> None:
    """Ask a process to end, and end it when it has not after `patience_s`."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            if _is_zombie(pid):
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)


def free_port() -> int:
    """A TCP port of loopback on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(address: str, port: int) -> bool:
    """Whether a process of this machine accepts connections there, found out without one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # then only a listener is in the way
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def holder_of_port(port: int, address: str = "127.0.0.1") -> str | None:
    """Who has an address's TCP port, for a person: `the lab of /srv/lab`, `nginx (process 812)`; None: nobody."""
    takes = (f"src {place}" for place in (address, "0.0.0.0", "[::]"))  # noqa: S104 - whoever listens on all of them
    listening = run("ss", "-Hltnp", f"sport = :{port} and ( {' or '.join(takes)} )")
    if not listening.strip():
        return None
    match = re.search(r'\("(?P<name>[^"]+)",pid=(?P<pid>\d+)', listening)
    if not match:
        return "another process"
    lab = _lab_of(int(match["pid"]))
    return f"the lab of {lab}" if lab else f"{match['name']} (process {match['pid']})"


def _lab_of(pid: int) -> Path | None:
    """Folder of the lab that a process supervises; None when it is something else."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if any(words[at : at + 3] == ["-m", "lab", "serve"] for at in range(len(words))):
            return next((Path(word.removeprefix("--dir=")) for word in words if word.startswith("--dir=")), None)
    return None


def _is_zombie(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True
