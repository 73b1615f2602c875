"""One stack: what its state says, and running programs in its environment."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from hosting import checkpoint
from setup.places import CHECKOUT
from setup.progress.watch import watched
from setup.session import Session
from setup.state.checkpoint import Unreadable, read
from setup.state.guard import usable
from setup.state.runs import note_run
from setup.state.store import store_at

WATCHED = ("up", "destroy", "refresh")


def state(session: Session) -> dict[str, Any]:
    """The stack's state as `pulumi stack export` prints it. Raises SetupError for one that must not be used."""
    found = usable(session)
    return found.export if found else {"deployment": {}}


def stacks_in_use(session: Session) -> set[str]:
    """The stacks of the session's backend that hold resources, or whose state cannot be read."""
    store = store_at(session.site.backend, session.environment())
    if store is None:
        return {name for name, count in _listed_by_engine(session).items() if count}
    return {name for name in store.stacks() if _holds_resources(store.checkpoint(name))}


def _holds_resources(content: bytes | None) -> bool:
    try:
        return content is not None and bool(read(content).deployment.get("resources"))
    except Unreadable:
        return True


def _listed_by_engine(session: Session) -> dict[str, int]:
    """Stacks and how many resources each holds, for backends that only the engine can read."""
    listed = json.loads(capture(session, "stack", "ls", "--json") or "[]")
    return {entry["name"].rpartition("/")[2]: int(entry.get("resourceCount") or 0) for entry in listed}


def exported_by_engine(session: Session) -> bytes | None:
    """What `pulumi stack export` prints; None for a stack that is not there."""
    if session.stack not in _listed_by_engine(session):
        return None
    return capture(session, "stack", "export", "--stack", session.stack).encode()


def is_interrupted(state: Mapping[str, Any]) -> bool:
    """Whether a run died while it made something, or failed half way: the engine notes both.

    After a failed update the state already holds the new values (measured): only a refresh finds what is missing.
    """
    return checkpoint.is_interrupted(state.get("deployment") or {})


def init(session: Session) -> int:
    """Make the stack in the state; on another site than its own beside the derived file: the real one gets no salt."""
    config = session.variables.get("PULUMI_OPTION_CONFIG_FILE")
    folder = ["--cwd", str(Path(config).parent)] if config else []
    # Not selected: what a person selected for plain `pulumi` stays.
    return run_to_end(
        ["pulumi", *folder, "stack", "init", session.stack, "--no-select"], session.environment(), stdout=2
    )


def pulumi(session: Session, *arguments: str) -> int:
    """Run pulumi in the open: its output is what the person came for."""
    line = ["pulumi", *arguments, "--stack", session.stack]
    with ExitStack() as while_it_runs:
        variables = while_it_runs.enter_context(watched()) if arguments[0] in WATCHED else {}
        return run_to_end(line, {**session.environment(), **variables}, started=partial(note_run, session))


def python(session: Session, *module_and_arguments: str, said: str | None = None) -> int:
    """Run a module of the checkout in the session's environment."""
    return run_to_end([sys.executable, "-m", *module_and_arguments], session.environment(), said)


def run_to_end(
    line: Sequence[str],
    env: Mapping[str, str],
    said: str | None = None,
    *,
    stdout: int | None = None,
    started: Callable[[int], None] = lambda pid: None,
) -> int:
    """Run a program and wait for it whatever happens: pulumi must finish its own cancelling, or it leaves a lock.

    The terminal sends Ctrl-C to the program as well; a SIGTERM is passed on.
    """
    stdin = None if said is None else subprocess.PIPE
    child = subprocess.Popen(list(line), cwd=CHECKOUT, env=env, stdin=stdin, stdout=stdout, text=True)
    started(child.pid)
    # A function, not SIG_IGN: that would be inherited.
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
    }
    try:
        child.communicate(said)
        return child.returncode
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def capture(session: Session, *arguments: str) -> str:
    """What a pulumi command prints."""
    done = subprocess.run(
        ["pulumi", *arguments], cwd=CHECKOUT, env=session.environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else ""
