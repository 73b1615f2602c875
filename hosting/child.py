"""Runs the Pulumi stack of one instance: `python -m hosting.child <operation>`, an order on standard input.

A process of its own for each run, as a Pulumi program keeps state of its process. Progress goes to standard error; the
result is one line of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation.errors import CommandError, ConcurrentUpdateError, StackNotFoundError
from pulumi.automation.events import EngineEvent

from hosting import checkpoint
from hosting.errors import HostingError
from hosting.order import FOLDER_VARIABLE, PROJECT, Order
from hosting.plan import instance_plan
from hosting.program import declare
from hosting.said import is_held_by_the_dead, last_words, reasons
from settings import SettingsError, load_site
from settings.site import CHECKOUT

Result = dict[str, Any]


class Run:
    """One operation on one stack, and what the engine said of it."""

    def __init__(self, order: Order, *, may_make: bool) -> None:
        """Select the stack, or make it where there is none and that is meant. StackNotFoundError."""
        self.order, self.errors, self.changes = order, [], {}  # type: Order, list[str], dict[str, str]
        self.folder = _folder(order)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "Pulumi.yaml").write_text(json.dumps(_project()))  # YAML as well
        site = load_site(order.site)
        if may_make:
            instance_plan(order, site)  # what cannot be is refused in a sentence, and nothing is begun
        options = automation.LocalWorkspaceOptions(work_dir=str(self.folder))
        select = automation.create_or_select_stack if may_make else automation.select_stack
        self.stack = select(order.stack, project_name=PROJECT, program=lambda: declare(order, site), opts=options)

    def up(self) -> Result:
        """Bring it to what the order says; what an interrupted run left is looked at first."""
        return self._up(must_look=False)

    def repair(self) -> Result:
        """The same after a look at the world, for one that may have lost something."""
        return self._up(must_look=True)

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
        state = self._state()
        if checkpoint.unknown(state):
            self._take_up()
            state = self._state()
        self._keep_volumes(state)
        self.stack.destroy(on_output=_tell, on_event=self._hear, remove=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        return {}

    def abandon(self) -> Result:
        """Drop its state, and leave what there is of it."""
        self.stack.workspace.remove_stack(self.order.stack, force=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        return {}

    def _up(self, *, must_look: bool) -> Result:
        state = self._state()
        if must_look or checkpoint.is_interrupted(state):
            # What was being made stays noted until it is known: else nobody would remove it if this fails as well.
            self.stack.refresh(on_output=_tell, on_event=self._hear)
        done = self.stack.up(
            on_output=_tell, on_event=self._hear, show_secrets=False, policy_packs=[str(CHECKOUT / "policies")]
        )
        if checkpoint.pending(state):
            self._change_state(lambda deployment: deployment.update(pending_operations=[]))
        return {"outputs": _plain(done.outputs)}

    def _take_up(self) -> None:
        """What was being made when a run died is in no state, and would be left behind: finished, it can go."""
        try:
            self.up()
        except CommandError:
            if checkpoint.unknown(self._state()):
                raise
            self.errors.clear()  # it is not well, but it is known

    def _state(self) -> dict[str, Any]:
        return dict(self.stack.export_stack().deployment or {})

    def _change_state(self, change: Callable[[dict[str, Any]], object]) -> None:
        whole = self.stack.export_stack()
        content = dict(whole.deployment or {})
        change(content)
        self.stack.import_stack(automation.Deployment(version=whole.version, deployment=content))

    def _keep_volumes(self, state: checkpoint.State) -> None:
        """A destroy asks no program: whether volumes go is what the state says, and that was said before."""
        kept = self.order.keep_volumes
        if any(part.get("keepVolumes") != kept for part in checkpoint.told(state)):
            self._change_state(lambda now: [part.update(keepVolumes=kept) for part in checkpoint.told(now)])

    def _hear(self, event: EngineEvent) -> None:
        if (said := event.diagnostic_event) and said.severity == "error":
            self.errors.append(said.message)
        if (step := event.resource_pre_event) and step.metadata.op.value not in ("same", "read", "refresh"):
            self.changes[step.metadata.urn.rpartition("::")[2]] = step.metadata.op.value


OPERATIONS: Mapping[str, Callable[[Run], Result]] = {
    name: getattr(Run, name) for name in ("up", "repair", "preview", "outputs", "secrets", "destroy", "abandon")
}
MAKING = frozenset({"up", "repair", "preview"})
"""The others have nothing to do where there is no stack, and leave none behind."""


def main(arguments: list[str]) -> int:
    """Carry out one operation; 1 where it failed."""
    # A Ctrl-C is the engine's, which cancels and gives its lock back, while we stay until it has.
    signal.signal(signal.SIGINT, lambda *_: None)  # a function, not SIG_IGN: that would be inherited
    order = Order.from_json(sys.stdin.read())
    result = _done(order, arguments[0])
    print(json.dumps(result), flush=True)
    return 1 if "why" in result else 0


def _done(order: Order, operation: str) -> Result:
    try:
        run = Run(order, may_make=operation in MAKING)
    except StackNotFoundError as error:
        if operation in ("destroy", "abandon"):
            shutil.rmtree(_folder(order), ignore_errors=True)
        return {"why": last_words(str(error))} if operation in MAKING else {}
    except (CommandError, HostingError, SettingsError) as error:
        return {"why": last_words(str(error))}
    try:
        return _past_dead_locks(run, OPERATIONS[operation])
    except (CommandError, HostingError, SettingsError) as error:
        return {"why": reasons(run.errors) or last_words(str(error))}


def _past_dead_locks(run: Run, operation: Callable[[Run], Result]) -> Result:
    """Once more after the lock of a process that died has been removed."""
    try:
        return operation(run)
    except ConcurrentUpdateError as error:
        if not is_held_by_the_dead(str(error)):
            raise
    run.stack.cancel()
    return operation(run)


def _folder(order: Order) -> Path:
    return Path(os.environ[FOLDER_VARIABLE]) / order.stack


def _project() -> dict[str, Any]:
    provider = {"name": "hypercompose", "path": str(CHECKOUT / "provider")}
    return {"name": PROJECT, "runtime": "python", "plugins": {"providers": [provider]}}


def _plain(outputs: Mapping[str, automation.OutputValue]) -> dict[str, Any]:
    return {name: found.value for name, found in outputs.items() if not found.secret}


def _tell(line: str) -> None:
    with suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
