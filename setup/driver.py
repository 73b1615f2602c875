"""What make runs on a stack: the plain pulumi command, with the lab up, the stack there and dead locks gone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from setup.hosting import HOSTING, refuse_instances
from setup.lab import lab
from setup.locks import remove_stale_locks
from setup.places import CHECKOUT, POLICIES
from setup.portainer import portainer_backup, portainer_restore
from setup.report import SetupError, say
from setup.session import Session
from setup.stack import capture, init, is_interrupted, pulumi, python, stacks_in_use, state
from setup.state.check import state_check
from setup.state.checkpoint import Checkpoint
from setup.state.guard import keep, usable
from setup.state.lease import alone
from setup.state.restore import state_restore
from setup.summary import known_hosts_lines, summary

BY_RULES = ("--policy-pack", POLICIES.name)


def up(session: Session, arguments: Sequence[str]) -> int:
    """Bring the stack up and say how to reach what it made; first settle what an interrupted run left."""
    lab(session, "up")
    code = _settle(session) if _ready_to_write(session) else 0
    code = code or _write(session, "up", *BY_RULES, *arguments)
    return code or _show(session)


def preview(session: Session, arguments: Sequence[str]) -> int:
    """What `up` would do."""
    lab(session, "up")
    _ready(session)
    return pulumi(session, "preview", "--diff", *BY_RULES, *arguments)


def policies(session: Session, arguments: Sequence[str]) -> int:
    """Whether what the state holds meets the rules; nothing is run and nobody is asked."""
    if usable(session) is None:
        say(f"stack {session.stack}: has no state yet; `make preview` looks at what would be made")
        return 0
    code = pulumi(session, "policy", "analyze", *BY_RULES, *arguments)
    if code == 0:
        say(f"stack {session.stack}: no mandatory rule is violated")
    return code


def drift(session: Session, arguments: Sequence[str]) -> int:
    """What somebody changed behind our back: 0 nothing, 2 something, 3 something could not be read; 1 no report."""
    lab(session, "up")
    found = usable(session)
    if found is None:
        say(f"stack {session.stack}: it was never brought up, so nothing can have drifted; `make up` makes it")
        return 1
    about = ["--stack", session.stack, "--site", session.site.id, "--folder", str(session.site.folder)]
    return python(session, "delivery.drift", *about, *arguments, said=json.dumps(found.export))


def outputs(session: Session, arguments: Sequence[str]) -> int:
    """What the stack tells others, as FORMAT; secrets stay hidden."""
    there = usable(session) is not None
    said = capture(session, "stack", "output", "--json", "--stack", session.stack) if there else ""
    told = json.loads(said or "{}")
    if not told:
        say(f"stack {session.stack} has told nothing yet: make up STACK={session.stack}")
        return 1
    known_hosts = _known_hosts(session, told)
    wanted = ["--format", os.environ.get("FORMAT") or "json", "--known-hosts", str(known_hosts)]
    return python(session, "delivery.outputs", *wanted, *arguments, said=said)


def history(session: Session, arguments: Sequence[str]) -> int:
    """What was released of APP: when, by whom, which commit, with what result."""
    return _released(session, "history", "make history STACK=acceptance APP=guestbook", *arguments)


def rollback(session: Session, arguments: Sequence[str]) -> int:
    """Bring the version of APP back that ran before, or that of the commit TO."""
    to = f"--to={os.environ.get('TO', '')}"
    return _released(session, "rollback", "make rollback STACK=acceptance APP=guestbook [TO=<commit>]", to, *arguments)


def _released(session: Session, what: str, example: str, *arguments: str) -> int:
    app = os.environ.get("APP")
    if not app:
        raise SetupError(f"APP: expected the name of an application, as in `{example}`.")
    if usable(session) is None:
        raise SetupError(f"stack {session.stack}: it was never brought up; `make up` makes it.")
    said = capture(session, "stack", "output", "--json", "--stack", session.stack)
    return python(session, "delivery.releases", what, f"--app={app}", *arguments, said=said)


def preflight(session: Session, arguments: Sequence[str]) -> int:
    """Ask everything that the first `up` depends on; changes nothing, starts no lab, makes no stack."""
    return python(session, "delivery.preflight", "--stack", session.stack, *arguments)


def commands(session: Session, arguments: Sequence[str]) -> int:
    """What `up` would run on the hosts, step by step, without secrets; nothing is run and no host is asked."""
    lab(session, "up")
    _ready(session)
    said = capture(session, "preview", "--json", "--show-sames", "--stack", session.stack)
    return python(session, "delivery.commands", *arguments, said=said)


def refresh(session: Session, arguments: Sequence[str]) -> int:
    """Take the world's facts into the state."""
    lab(session, "up")
    _ready_to_write(session)
    return _write(session, "refresh", *arguments)


def recover(session: Session, arguments: Sequence[str]) -> int:
    """After a crash, whether or not the state knows of it: settle, then up."""
    lab(session, "up")
    _ready_to_write(session)
    return _settle(session) or up(session, arguments)


def template(session: Session, arguments: Sequence[str]) -> int:
    """Import a cloud image as a template on the site."""
    lab(session, "up")
    return python(session, "delivery", "template", *arguments)


def images(session: Session, arguments: Sequence[str]) -> int:
    """Build, push and lock what images/ holds. The lab does that by itself, past its registry's name."""
    if session.site.is_lab:
        return lab(session, "up", *(file.parent.name for file in CHECKOUT.glob("images/*/Dockerfile")))
    return python(session, "delivery", "images", *arguments)


def down(session: Session, arguments: Sequence[str]) -> int:
    """Destroy the stack; a lab that holds no VM afterwards is stopped."""
    lab(session, "up")
    found = usable(session)
    if found is None:
        say(f"stack {session.stack}: nothing to destroy")
    else:
        _refuse_protected(session.stack, found)
        refuse_instances(session)
        code = _settle(session) if _ready_to_write(session) else 0
        if code := code or _write(session, "destroy", *arguments):
            return code
    if session.site.is_lab and not stacks_in_use(session):
        return lab(session, "down")
    return 0


def _refuse_protected(stack: str, found: Checkpoint) -> None:
    """Without a preview the engine would destroy all but what is protected (measured)."""
    names = [str(r["urn"]).rpartition("::")[2] for r in found.resources if r.get("protect")]
    if names:
        raise SetupError(
            f"stack {stack}: {', '.join(names[:5])} may not be destroyed, by its settings; say "
            '`hypercompose:limits: {allow: ["*"]}`, and `protection: false` of VMs, then `make up`, then this again'
        )


Command = Callable[[Session, Sequence[str]], int]


def _alone(command: Command) -> Command:
    """While nobody else's make changes the stack."""

    def run(session: Session, arguments: Sequence[str]) -> int:
        with alone(session):
            return command(session, arguments)

    return run


COMMANDS: Mapping[str, Command] = {
    "up": _alone(up),
    "preview": preview,
    "preflight": preflight,
    "outputs": outputs,
    "history": history,
    "rollback": rollback,
    "policies": policies,
    "drift": drift,
    "commands": commands,
    "refresh": _alone(refresh),
    "recover": _alone(recover),
    "down": _alone(down),
    "portainer-backup": portainer_backup,
    "portainer-restore": _alone(portainer_restore),
    "state-check": state_check,
    "state-restore": _alone(state_restore),
    "template": template,
    "images": images,
    **HOSTING,
    "lab-up": lambda session, arguments: lab(session, "up", *arguments),
    "lab-server": lambda session, arguments: lab(session, "server", *arguments),
    "lab-status": lambda session, arguments: lab(session, "status", *arguments),
    "lab-down": lambda session, arguments: lab(session, "down", *arguments),
    "lab-purge": lambda session, arguments: lab(session, "purge", *arguments),
}


def _ready(session: Session) -> Checkpoint | None:
    """The stack exists, its state may be used, and no dead process holds it. Its state, if it has been there before."""
    found = usable(session)
    if found is None and (code := init(session)):
        sys.exit(code)
    remove_stale_locks(session)
    return found


def _ready_to_write(session: Session) -> bool:
    """The same, and its state is exported before anything changes it; whether an earlier run was interrupted."""
    found = _ready(session)
    if found is None:
        return False
    keep(session, found)
    return is_interrupted(found.export)


def _write(session: Session, operation: str, *arguments: str) -> int:
    """Let the engine change the state, and export it as it is then, however that ended."""
    try:
        return pulumi(session, operation, *_unasked(session), *_without_preview(session), *arguments)
    finally:
        keep(session)


def _settle(session: Session) -> int:
    """Remove half-made VMs of this state, and its notes of creations that were cut off."""
    say(f"stack {session.stack}: an earlier run was interrupted; settling what it left")
    code = python(session, "delivery", "recover", said=json.dumps(state(session)))
    return code or _write(session, "refresh", "--clear-pending-creates")


def _unasked(session: Session) -> list[str]:
    """Only the lab is changed without a question; on a real site pass `ARGS=--yes` where nobody is there to answer."""
    return ["--yes"] if session.site.is_lab else []


def _without_preview(session: Session) -> list[str]:
    """On the lab the preview is `make preview`; it would double the time of each `up`."""
    return ["--skip-preview"] if session.site.is_lab else []


def _known_hosts(session: Session, outputs: Mapping[str, Any]) -> Path:
    """The file with the pinned keys of the stack's hosts, as it is now."""
    known_hosts = session.site.folder / f"known_hosts.{session.stack}"
    known_hosts.parent.mkdir(parents=True, exist_ok=True)
    known_hosts.write_text("".join(known_hosts_lines(outputs)))
    return known_hosts


def _show(session: Session) -> int:
    """Print the stack's outputs for people."""
    outputs = json.loads(capture(session, "stack", "output", "--json", "--stack", session.stack) or "{}")
    known_hosts = _known_hosts(session, outputs)
    for line in summary(outputs, known_hosts, session.environment().get("HYPERCOMPOSE_SSH_KEY_FILE")):
        print(line)
    return 0
