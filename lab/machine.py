"""Programs of this machine that the lab runs: which ones, and how they are called."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from setup.machine import DOCKER, Tool, ensure

SBIN = ("/usr/sbin", "/sbin")

HOST_TOOLS = (
    DOCKER,
    Tool(name="ip", package="iproute2", remedy="install iproute2", folders=SBIN),
    Tool(name="iptables", package="iptables", remedy="install iptables", folders=SBIN),
    Tool(name="dnsmasq", package="dnsmasq-base", remedy="install dnsmasq", folders=SBIN),
    Tool(name="losetup", package="mount", remedy="install losetup (util-linux)", folders=SBIN),
    Tool(name="nsenter", package="util-linux", remedy="install nsenter (util-linux)"),
    Tool(name="setpriv", package="util-linux", remedy="install setpriv (util-linux)"),
)
MMDEBSTRAP = Tool(name="mmdebstrap", package="mmdebstrap", remedy="install mmdebstrap")


class CommandFailed(Exception):
    """A program of this machine said no; the text is what it was asked and what it answered."""


def ensure_host_tools() -> None:
    """Install what is missing, or raise SetupError with one sentence that names it."""
    for tool in HOST_TOOLS:
        ensure(tool)


def run(*command: str, stdin: str | None = None) -> str:
    """What the program printed; CommandFailed when it did not exit 0."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        asked = " ".join(command) + (f" <<< {stdin.strip()!r}" if stdin else "")
        raise CommandFailed(f"`{asked}`: {done.stderr.strip() or f'exit {done.returncode}'}")
    return done.stdout


def succeeds(*command: str) -> bool:
    """Whether the program exits 0; what it says is dropped."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run_json(*command: str) -> Any:
    """What the program printed, read as JSON; an empty list when it printed nothing."""
    return json.loads(run(*command) or "[]")


def ip_batch(lines: Sequence[str]) -> None:
    """Several `ip` commands in one process; stops at the first that fails."""
    if lines:
        run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")
