"""One stack: what its state says, and running programs in its environment."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from setup.places import CHECKOUT
from setup.session import Session


def exists(session: Session) -> bool:
    """Whether the state backend knows the stack. For a folder the file tells: asking the engine takes a second."""
    if session.state_file is not None:
        return session.state_file.exists()
    listed = capture(session, "stack", "ls", "--json")
    return any(entry["name"].rpartition("/")[2] == session.stack for entry in json.loads(listed or "[]"))


def state(session: Session) -> dict[str, Any]:
    """The stack's state as `pulumi stack export` prints it; from its file where there is one, to save a second."""
    if session.state_file is None:
        return dict(json.loads(capture(session, "stack", "export", "--stack", session.stack) or "{}"))
    return {"deployment": deployment(session.state_file)}


def deployment(checkpoint: Path) -> dict[str, Any]:
    """What a file of the state folder holds; empty for a stack that never ran."""
    if not checkpoint.exists():
        return {}
    return (json.loads(checkpoint.read_text()).get("checkpoint") or {}).get("latest") or {}


def is_interrupted(state: Mapping[str, Any]) -> bool:
    """Whether a run died while it made something, or failed half way: the engine notes both.

    After a failed update the state already holds the new values (measured): only a refresh finds what is missing.
    """
    found = state.get("deployment") or {}
    return bool(found.get("pending_operations")) or any(r.get("initErrors") for r in found.get("resources") or [])


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
    return run_to_end(["pulumi", *arguments, "--stack", session.stack], session.environment())


def python(session: Session, *module_and_arguments: str, said: str | None = None) -> int:
    """Run a module of the checkout in the session's environment."""
    return run_to_end([sys.executable, "-m", *module_and_arguments], session.environment(), said)


def run_to_end(
    line: Sequence[str], env: Mapping[str, str], said: str | None = None, *, stdout: int | None = None
) -> int:
    """Run a program and wait for it whatever happens: pulumi must finish its own cancelling, or it leaves a lock.

    The terminal sends Ctrl-C to the program as well; a SIGTERM is passed on.
    """
    stdin = None if said is None else subprocess.PIPE
    child = subprocess.Popen(list(line), cwd=CHECKOUT, env=env, stdin=stdin, stdout=stdout, text=True)
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
