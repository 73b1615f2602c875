"""The Pulumi engine for instances: each operation in a child process, with a deadline, its progress passed on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hosting.errors import HostingError
from hosting.order import FOLDER_VARIABLE, Order
from settings.site import CHECKOUT

DEADLINE_S = 1200.0
CANCEL_S = 30.0
NOT_FOR_INSTANCES = ("PULUMI_OPTION_CONFIG_FILE", "PULUMI_OPTION_POLICY_PACK", "PULUMI_STACK")
"""Variables that speak of the environment's stack."""
LAST_LINES = 5
LOOK_S = 0.05


class EngineFailed(HostingError):
    """The engine could not do it; the text says what it said."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Runs operations of `hosting.child`. `folder`: where the projects of instances are."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    deadline_s: float = DEADLINE_S
    cancel_s: float = CANCEL_S
    """How long one that is cancelled may take to end in order, before it is killed."""
    program: tuple[str, ...] = (sys.executable, "-m", "hosting.child")

    def run(self, operation: str, order: Order, tell: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
        """The result of an operation. EngineFailed."""
        child = self._started(operation)
        progress, child.stderr = child.stderr, None  # ours to read line by line; the rest is `communicate`'s
        last: list[str] = []
        reader = threading.Thread(target=_pass_on, args=(progress, tell, last), daemon=True)
        reader.start()
        late = ""
        try:
            said = child.communicate(order.to_json(), self.deadline_s)[0]
        except subprocess.TimeoutExpired:
            _interrupt(child.pid)
            said, late = self._rest(child), f"not done within {self.deadline_s:.0f} s, and cancelled"
        finally:
            self._end(child)
            reader.join(self.cancel_s)
        result = _result(said)
        if late or result is None or "why" in result:
            why = (result or {}).get("why") or " | ".join(last) or f"it ended with {child.returncode}"
            raise EngineFailed(f"{operation} of {order.name}: {': '.join(filter(None, (late, why)))}")
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
            errors="replace",
            start_new_session=True,  # a Ctrl-C is ours to pass on, so that the engine ends in order
        )

    def _rest(self, child: subprocess.Popen[str]) -> str:
        """What one that was cancelled says before it ends; nothing where it does not end."""
        with suppress(subprocess.TimeoutExpired):
            return child.communicate(timeout=self.cancel_s)[0]
        return ""

    def _end(self, child: subprocess.Popen[str]) -> None:
        """Nothing of it is left running: it is cancelled, and so is what it has started, then killed."""
        if child.poll() is None or _is_there(child.pid):
            _interrupt(child.pid)
        ends = time.monotonic() + self.cancel_s
        while (child.poll() is None or _is_there(child.pid)) and time.monotonic() < ends:
            time.sleep(LOOK_S)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in filter(None, (child.stdin, child.stdout)):
            with suppress(OSError):  # it may hold what nobody has read
                pipe.close()


def _interrupt(group: int) -> None:
    """As Ctrl-C does: the engine cancels what it does, and gives its lock back."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGINT)


def _is_there(group: int) -> bool:
    """Whether the process group has a member."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _pass_on(progress: Any, tell: Callable[[str], None], last: list[str]) -> None:
    """To the end, also when nobody listens any more: a child whose lines nobody takes would wait for ever."""
    with progress:
        for line in filter(str.strip, progress):
            last[:] = [*last, line.strip()][-LAST_LINES:]
            with suppress(OSError, ValueError):
                tell(line.rstrip())


def _result(said: str) -> dict[str, Any] | None:
    try:
        found = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return None
    return found if isinstance(found, dict) else None
