"""The Pulumi engine for instances: each operation in a child process, with a deadline, its progress passed on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hosting.child import FOLDER_VARIABLE
from hosting.errors import HostingError
from hosting.order import Order
from settings.site import CHECKOUT

DEADLINE_S = 1200.0
CANCEL_S = 30.0
NOT_FOR_INSTANCES = ("PULUMI_OPTION_CONFIG_FILE", "PULUMI_OPTION_POLICY_PACK", "PULUMI_STACK")
"""Variables that speak of the environment's stack."""
LAST_LINES = 5


class EngineFailed(HostingError):
    """The engine could not do it; the text says what it said."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Runs operations of `hosting.child`. `folder`: where the projects of instances are."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    deadline_s: float = DEADLINE_S
    program: tuple[str, ...] = (sys.executable, "-m", "hosting.child")

    def run(self, operation: str, order: Order, tell: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
        """The result of an operation. EngineFailed."""
        child = self._started(operation)
        last: list[str] = []
        reader = threading.Thread(target=_pass_on, args=(child, tell, last), daemon=True)
        reader.start()
        try:
            said = _talked(child, order, self.deadline_s)
        finally:
            _end(child)
            reader.join(CANCEL_S)
        result = _result(said)
        if result is None or "why" in result:
            why = (result or {}).get("why") or " | ".join(last) or f"it ended with {child.returncode}"
            raise EngineFailed(f"{operation} of {order.name}: {why}")
        return result

    def _started(self, operation: str) -> subprocess.Popen[str]:
        env = {name: value for name, value in self.environ.items() if name not in NOT_FOR_INSTANCES}
        return subprocess.Popen(
            [*self.program, operation],
            cwd=CHECKOUT,
            env={**env, FOLDER_VARIABLE: str(self.folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C is ours to pass on, so that the engine ends in order
        )


def _talked(child: subprocess.Popen[str], order: Order, deadline_s: float) -> str:
    """What it printed. EngineFailed where that takes too long."""
    timer = threading.Timer(deadline_s, _interrupt, args=(child,))
    timer.start()
    try:
        if child.stdin is None or child.stdout is None:
            return ""
        child.stdin.write(order.to_json())
        child.stdin.close()
        return child.stdout.read()
    except BrokenPipeError:
        return ""
    finally:
        timer.cancel()


def _interrupt(child: subprocess.Popen[str]) -> None:
    """As Ctrl-C does: the engine cancels what it does, and gives its lock back."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGINT)


def _end(child: subprocess.Popen[str]) -> None:
    """Wait for it; one that does not end by itself is cancelled, then killed."""
    try:
        child.wait(CANCEL_S if child.stdout is None or child.stdout.closed else 0.5)
    except subprocess.TimeoutExpired:
        _interrupt(child)
        try:
            child.wait(CANCEL_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _pass_on(child: subprocess.Popen[str], tell: Callable[[str], None], last: list[str]) -> None:
    for line in child.stderr or ():
        if line.strip():
            last[:] = [*last, line.strip()][-LAST_LINES:]
            tell(line.rstrip())


def _result(said: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return None
    return found
