"""Runs the Pulumi stack of one instance: `python -m hosting.child <operation>`, an order on standard input.

A process of its own for each run, as a Pulumi program keeps state of its process. Progress goes to standard error; the
result is one line of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation.errors import CommandError, ConcurrentUpdateError, StackNotFoundError
from pulumi.automation.events import EngineEvent

from hosting.order import PROJECT, Order
from hosting.program import declare
from settings import load_site
from settings.site import CHECKOUT

FOLDER_VARIABLE = "HYPERCOMPOSE_INSTANCES"
"""Folder below which each stack has one of its own."""
_HOLDER = re.compile(r"created by (?P<user>\S+)@(?P<host>\S+) \(pid (?P<pid>\d+)\)")
Result = dict[str, Any]


class Run:
    """One operation on one stack, and what the engine said of it."""

    def __init__(self, order: Order) -> None:
        """Make or select the stack."""
        self.order, self.errors, self.changes = order, [], {}  # type: Order, list[str], dict[str, str]
        self.folder = Path(os.environ[FOLDER_VARIABLE]) / order.stack
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "Pulumi.yaml").write_text(json.dumps(_project()))  # YAML as well
        site = load_site(order.site)
        options = automation.LocalWorkspaceOptions(work_dir=str(self.folder))
        self.stack = automation.create_or_select_stack(
            order.stack, project_name=PROJECT, program=lambda: declare(order, site), opts=options
        )

    def up(self) -> Result:
        """Bring it to what the order says; what an interrupted run left is settled first."""
        if self._is_interrupted():
            self.stack.refresh(clear_pending_creates=True, on_output=_tell, on_event=self._hear)
        done = self.stack.up(
            on_output=_tell, on_event=self._hear, show_secrets=False, policy_packs=[str(CHECKOUT / "policies")]
        )
        return {"outputs": _plain(done.outputs)}

    def repair(self) -> Result:
        """The same after a look at the world, for one that may have lost something."""
        self.stack.refresh(clear_pending_creates=True, on_output=_tell, on_event=self._hear)
        return self.up()

    def preview(self) -> Result:
        """What differs from the order in the world, and so what `up` would change: Portainer alone starts and stops."""
        self.stack.preview(diff=True, refresh=True, on_output=_tell, on_event=self._hear)
        return {"changes": self.changes}

    def outputs(self) -> Result:
        """What it told last, without secrets."""
        return {"outputs": _plain(self.stack.outputs())}

    def secrets(self) -> Result:
        """What it made up."""
        found = self.stack.outputs().get("secrets")
        return {"secrets": dict(found.value) if found else {}}

    def destroy(self) -> Result:
        """Remove all of it, its state as well."""
        if self._is_interrupted():
            self.stack.refresh(clear_pending_creates=True, on_output=_tell, on_event=self._hear)
        self.stack.destroy(on_output=_tell, on_event=self._hear, remove=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        return {}

    def abandon(self) -> Result:
        """Drop its state, and leave what there is of it."""
        self.stack.workspace.remove_stack(self.order.stack, force=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        return {}

    def _is_interrupted(self) -> bool:
        found = self.stack.export_stack().deployment or {}
        return bool(found.get("pending_operations"))

    def _hear(self, event: EngineEvent) -> None:
        if (said := event.diagnostic_event) and said.severity == "error":
            self.errors.append(" ".join(said.message.split()))
        if (step := event.resource_pre_event) and step.metadata.op.value not in ("same", "read", "refresh"):
            self.changes[step.metadata.urn.rpartition("::")[2]] = step.metadata.op.value


OPERATIONS: Mapping[str, Callable[[Run], Result]] = {
    name: getattr(Run, name) for name in ("up", "repair", "preview", "outputs", "secrets", "destroy", "abandon")
}


def main(arguments: list[str]) -> int:
    """Carry out one operation; 1 where it failed."""
    order = Order.from_json(sys.stdin.read())
    run: Run | None = None
    try:
        run = Run(order)
        result = _past_dead_locks(run, OPERATIONS[arguments[0]])
    except StackNotFoundError:
        result = {}
    except CommandError as error:
        result = {"why": "; ".join(dict.fromkeys(run.errors if run else ())) or _last_words(str(error))}
    print(json.dumps(result), flush=True)
    return 1 if "why" in result else 0


def _past_dead_locks(run: Run, operation: Callable[[Run], Result]) -> Result:
    """Once more after the lock of a process that died has been removed."""
    try:
        return operation(run)
    except ConcurrentUpdateError as error:
        if not _is_dead(str(error)):
            raise
    run.stack.cancel()
    return operation(run)


def _is_dead(said: str) -> bool:
    """Whether all who hold the stack were processes of this machine, and are gone."""
    holders = list(_HOLDER.finditer(said))
    return bool(holders) and all(
        found["host"] == socket.gethostname() and not Path(f"/proc/{found['pid']}").exists() for found in holders
    )


def _project() -> dict[str, Any]:
    provider = {"name": "hypercompose", "path": str(CHECKOUT / "provider")}
    return {"name": PROJECT, "runtime": "python", "plugins": {"providers": [provider]}}


def _plain(outputs: Mapping[str, automation.OutputValue]) -> dict[str, Any]:
    return {name: found.value for name, found in outputs.items() if not found.secret}


def _tell(line: str) -> None:
    with suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return " | ".join((errors or lines)[-3:])[-1000:] or "the engine said nothing"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
