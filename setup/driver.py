"""What make runs on a stack: the plain pulumi command, with the lab up, the stack there and dead locks gone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from setup.locks import remove_stale_locks
from setup.places import POLICIES
from setup.report import say
from setup.session import Session
from setup.stack import capture, deployment, exists, init, is_interrupted, pulumi, python, state
from setup.summary import known_hosts_lines, summary

BY_RULES = ("--policy-pack", POLICIES.name)


def up(session: Session, arguments: Sequence[str]) -> int:
    """Bring the stack up and say how to reach what it made; first settle what an interrupted run left."""
    lab(session, "up")
    _ready(session)
    code = _settle(session) if is_interrupted(state(session)) else 0
    code = code or pulumi(session, "up", *BY_RULES, *_unasked(session), *_without_preview(session), *arguments)
    return code or _show(session)


def preview(session: Session, arguments: Sequence[str]) -> int:
    """What `up` would do."""
    lab(session, "up")
    _ready(session)
    return pulumi(session, "preview", "--diff", *BY_RULES, *arguments)


def policies(session: Session, arguments: Sequence[str]) -> int:
    """Whether what the state holds meets the rules; nothing is run and nobody is asked."""
    if not exists(session):
        say(f"stack {session.stack}: has no state yet; `make preview` looks at what would be made")
        return 0
    code = pulumi(session, "policy", "analyze", *BY_RULES, *arguments)
    if code == 0:
        say(f"stack {session.stack}: no mandatory rule is violated")
    return code


def drift(session: Session, arguments: Sequence[str]) -> int:
    """What somebody changed behind our back; fails when there is something."""
    lab(session, "up")
    _ready(session)
    return pulumi(session, "preview", "--refresh", "--diff", "--expect-no-changes", *arguments)


def outputs(session: Session, arguments: Sequence[str]) -> int:
    """What the stack tells others, as FORMAT; secrets stay hidden."""
    said = capture(session, "stack", "output", "--json", "--stack", session.stack)
    if not json.loads(said or "{}"):
        say(f"stack {session.stack} has told nothing yet: make up STACK={session.stack}")
        return 1
    known_hosts = _known_hosts(session, json.loads(said))
    wanted = ["--format", os.environ.get("FORMAT") or "json", "--known-hosts", str(known_hosts)]
    return python(session, "delivery.outputs", *wanted, *arguments, said=said)


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
    _ready(session)
    return pulumi(session, "refresh", *_unasked(session), *_without_preview(session), *arguments)


def recover(session: Session, arguments: Sequence[str]) -> int:
    """After a crash, whether or not the state knows of it: settle, then up."""
    lab(session, "up")
    _ready(session)
    return _settle(session) or up(session, arguments)


def template(session: Session, arguments: Sequence[str]) -> int:
    """Import a cloud image as a template on the site."""
    lab(session, "up")
    return python(session, "delivery", "template", *arguments)


def images(session: Session, arguments: Sequence[str]) -> int:
    """Build, push and lock what images/ holds. The lab does that at its start, past its registry's name."""
    if session.site.is_lab:
        return lab(session, "up")
    return python(session, "delivery", "images", *arguments)


def down(session: Session, arguments: Sequence[str]) -> int:
    """Destroy the stack; a lab that holds no VM afterwards is stopped."""
    lab(session, "up")
    if not exists(session):
        say(f"stack {session.stack}: nothing to destroy")
    else:
        remove_stale_locks(session.site.backend, session.stack)
        if is_interrupted(state(session)) and (code := _settle(session)):
            return code
        code = pulumi(session, "destroy", *_unasked(session), *_without_preview(session), *arguments)
        if code:
            return code
    if session.site.is_lab and not _lab_is_used(session):
        return lab(session, "down")
    return 0


def lab(session: Session, command: str, *arguments: str) -> int:
    """Run a command of the lab for this site; nothing on a site that is none. A failed `up` ends the work."""
    if not session.site.is_lab:
        return 0
    site = ["--site", str(session.site.file), "--dir", str(session.site.folder)]
    code = python(session, "lab", command, *site, *arguments)
    if code and command == "up":
        sys.exit(code)  # it has said why
    return code


COMMANDS: Mapping[str, Callable[[Session, Sequence[str]], int]] = {
    "up": up,
    "preview": preview,
    "preflight": preflight,
    "outputs": outputs,
    "policies": policies,
    "drift": drift,
    "commands": commands,
    "refresh": refresh,
    "recover": recover,
    "down": down,
    "template": template,
    "images": images,
    "lab-up": lambda session, arguments: lab(session, "up", *arguments),
    "lab-server": lambda session, arguments: lab(session, "server", *arguments),
    "lab-status": lambda session, arguments: lab(session, "status", *arguments),
    "lab-down": lambda session, arguments: lab(session, "down", *arguments),
    "lab-purge": lambda session, arguments: lab(session, "purge", *arguments),
}


def _ready(session: Session) -> None:
    """The stack exists and no dead process holds it."""
    if not exists(session) and (code := init(session)):
        sys.exit(code)
    remove_stale_locks(session.site.backend, session.stack)


def _settle(session: Session) -> int:
    """Remove half-made VMs of this state, and its notes of creations that were cut off."""
    say(f"stack {session.stack}: an earlier run was interrupted; settling what it left")
    export = json.dumps(state(session))
    code = python(session, "delivery", "recover", said=export)
    clear = ["--clear-pending-creates", *_unasked(session), *_without_preview(session)]
    return code or pulumi(session, "refresh", *clear)


def _unasked(session: Session) -> list[str]:
    """Only the lab is changed without a question; on a real site pass `ARGS=--yes` where nobody is there to answer."""
    return ["--yes"] if session.site.is_lab else []


def _without_preview(session: Session) -> list[str]:
    """On the lab the preview is `make preview`; it would double the time of each `up`."""
    return ["--skip-preview"] if session.site.is_lab else []


def _lab_is_used(session: Session) -> bool:
    """Whether any stack of the lab's state still holds resources: then its VMs must go on."""
    stacks = session.state_file.parent.glob("*.json") if session.state_file else ()
    return any(deployment(file).get("resources") for file in stacks)


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
