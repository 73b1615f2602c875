"""The Docker Engine under the lab: the one that is there, else one of our own."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
from docker.errors import DockerException

from lab.processes import supervisors
from setup.cached import locked
from setup.places import cache_home
from setup.report import SetupError, work

SYSTEM_SOCKET = "unix:///var/run/docker.sock"
START_S = 60.0
STOP_S = 30.0


def connect() -> docker.DockerClient:
    """Client of the machine's Docker Engine; starts our own where none answers. SetupError when that fails."""
    client = find()
    if client is None:
        home().mkdir(parents=True, exist_ok=True)
        with locked(home() / "lock", "dockerd: waiting for another lab that starts it"):
            client = find() or _start()
    return client


@contextmanager
def in_use() -> Iterator[docker.DockerClient]:
    """`connect` for the length of a block: nobody ends the engine under a lab that starts and has nothing in it yet."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield connect()


def address() -> str:
    """Where the engine that `connect` gave listens, for programs that take it as DOCKER_HOST."""
    return next(candidate for candidate in candidates() if _client(candidate))


def find() -> docker.DockerClient | None:
    """Client of an engine that answers now; None when there is none."""
    answers = (_client(address) for address in candidates())
    return next((client for client in answers if client), None)


def candidates() -> list[str]:
    """Where an engine may listen: where the person says and nowhere else, else the system's, else ours."""
    told = os.environ.get("DOCKER_HOST")
    return [told] if told else [SYSTEM_SOCKET, own_socket()]


def home() -> Path:
    """Folder of the engine we start: its images stay when it stops."""
    return cache_home() / "docker"


def own_socket() -> str:
    """Address of the engine we start."""
    return f"unix://{home() / 'docker.sock'}"


def own_pid() -> int | None:
    """Process id of the engine we started, if it runs: checked against what the process says it is."""
    with suppress(OSError, ValueError):
        pid = int((home() / "docker.pid").read_text())
        if f"--host={own_socket()}".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def stop_when_idle() -> bool:
    """End the engine if it is ours, and neither a container nor another lab needs it; True when it ended."""
    if own_pid() is None or next(supervisors(), None):
        return False
    with locked(home() / "lock", "dockerd: waiting for another lab that starts or stops it"):
        pid, client = own_pid(), _client(own_socket())
        if pid is None or client is None or client.containers.list():
            return False
        with (home() / "users").open("w") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            _stop(pid)
    return own_pid() is None


def _stop(pid: int) -> None:
    with work("dockerd: stopping"):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        while own_pid() is not None and time.monotonic() < deadline:
            time.sleep(0.1)


def _start() -> docker.DockerClient:
    """Start our engine in a session of its own, so that it outlives us, and wait until it answers."""
    (home() / "docker.pid").unlink(
        missing_ok=True
    )  # of an engine that was killed; it would keep the next from starting
    with work("dockerd: none answers, starting our own"):
        with (home() / "dockerd.log").open("ab") as log:
            process = subprocess.Popen(
                [*command(), f"--host={own_socket()}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        deadline = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < deadline:
            if (client := _client(own_socket())) is not None:
                return client
            time.sleep(0.1)
    raise SetupError(f"dockerd: did not start; the end of {home() / 'dockerd.log'} says why: {_last_error()}")


def command() -> list[str]:
    """Arguments that keep everything of ours in our folder. It needs ip_forward and iptables, and sets both."""
    return [
        "dockerd",
        f"--data-root={home() / 'root'}",
        f"--exec-root={home() / 'exec'}",
        f"--pidfile={home() / 'docker.pid'}",
        "--storage-driver=overlay2",
    ]


def _client(address: str) -> docker.DockerClient | None:
    with suppress(DockerException, OSError):
        client = docker.DockerClient(base_url=address, timeout=120, max_pool_size=32)
        client.ping()
        return client
    return None


def _last_error() -> str:
    lines = (home() / "dockerd.log").read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"
