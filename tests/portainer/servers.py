"""Servers to test: the stand-in as a process of this checkout, or the one that PORTAINER_URL names.

PORTAINER_PROGRAM names a real server's own program, for the tests that start and stop theirs, and PORTAINER_ASSETS the
folder where it finds what it runs.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import requests

from lab.processes import free_port
from setup.places import CHECKOUT
from tests.compose.running import compose_program

START_S = 15.0
STOP_S = 10.0


def external_url() -> str:
    """The server that somebody else runs; empty when there is none."""
    return os.environ.get("PORTAINER_URL", "").rstrip("/")


def external_password() -> str:
    """Password of its administrator `admin`."""
    return Path(os.environ["PORTAINER_ADMIN_PASSWORD_FILE"]).read_text().removesuffix("\n")


def program() -> list[str]:
    """The server that tests start: the stand-in, where none other is named."""
    if real := os.environ.get("PORTAINER_PROGRAM"):
        return [real, "--assets", os.environ["PORTAINER_ASSETS"]]
    return [sys.executable, "-m", "lab.portainer"]


def is_real() -> bool:
    """Whether tests start a real server."""
    return bool(os.environ.get("PORTAINER_PROGRAM"))


@dataclass
class Server:
    """A server of our own, started and stopped at will on the same data."""

    folder: Path
    flags: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers without TLS."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Where it answers with TLS."""
        return f"https://127.0.0.1:{self.tls_port}"

    @property
    def data(self) -> Path:
        """Its folder."""
        return self.folder / "data"

    def start(self, wait_s: float = START_S) -> float:
        """Seconds until it answered; AssertionError when it does not in time."""
        ports = ["--bind", f"127.0.0.1:{self.port}", "--bind-https", f"127.0.0.1:{self.tls_port}"]
        tunnel = [] if "--tunnel-port" in self.flags else ["--tunnel-port", "0"]
        command = [*program(), "--data", str(self.data), *ports, *tunnel, *self.flags]
        began = time.monotonic()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=CHECKOUT, env=with_compose(self.env), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        while time.monotonic() - began < wait_s:
            if answers(self.url):
                return time.monotonic() - began
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def stop(self) -> float:
        """Seconds until it ended after SIGTERM."""
        began = time.monotonic()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_S)
            self._process = None
        return time.monotonic() - began


def answers(url: str, path: str = "/api/status") -> bool:
    """Whether a server is there, and does not refuse that call."""
    with suppress(requests.ConnectionError):
        return requests.get(url + path, timeout=5).ok
    return False


@contextmanager
def running(folder: Path, *flags: str, **env: str) -> Iterator[Server]:
    """A new one."""
    server = Server(folder, list(flags), env)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def with_compose(env: dict[str, str]) -> dict[str, str]:
    """The environment; where an engine is named, with Docker Compose: the machine's, or the one that guests get."""
    own = _own_compose() if "DOCKER_HOST" in env else ()
    return os.environ | {"PATH": os.pathsep.join([*own, os.environ["PATH"]])} | env


@cache
def _own_compose() -> tuple[str, ...]:
    """Folder of `docker-compose`; none where the machine has it as a plugin."""
    room = Path(tempfile.mkdtemp(prefix="hypercompose-compose-"))
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    program = compose_program(room)
    return (str(Path(program[0]).parent),) if Path(program[0]).is_absolute() else ()
