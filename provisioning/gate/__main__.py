"""`hypercompose-gate`: the service, and what people and `pulumi up` ask of it on the host."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.gate.config import Folders
from provisioning.gate.engine import Engine
from provisioning.gate.server import listen
from provisioning.gate.service import Service, forget, rollout
from provisioning.gate.state import Store
from provisioning.gate.status import ABSENT, AS_WANTED, status, told


def main(arguments: list[str]) -> int:
    """Exit code: 0, or 1 with one sentence on stderr."""
    asked = _parser().parse_args(arguments)
    folders = Folders()
    try:
        return int(asked.act(folders, asked) or 0)
    except (ProvisioningError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def serve(folders: Folders, asked: argparse.Namespace) -> None:
    """Until it is told to stop. What is on its way then goes on with the next start."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    over, service = threading.Event(), Service(folders)
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    server = listen(folders, service)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    logging.info("following %s", ", ".join(folders.names()) or "no stack yet")
    threading.Thread(target=service.run, args=(over,), name="loop", daemon=True).start()
    over.wait()
    server.end()
    logging.shutdown()
    os._exit(0)  # what works on a stack is not waited for: the next start goes on with it


def sync(folders: Folders, asked: argparse.Namespace) -> int:
    """Bring a stack to its source now, whatever was refused before; wait for the end."""
    works = rollout(folders, asked.stack, _tell)
    with works.store.alone(wait=True):
        state = works.turn(asked.by, forced=True)
    if works.stack.commit and not state.source_error and state.asked != works.stack.commit:
        is_at, expected = state.asked[:10], works.stack.commit[:10]
        raise ProvisioningError(f"ref {works.stack.ref}: is at {is_at}, expected {expected}; somebody pushed to it")
    return _end(folders, asked.stack)


def rollback(folders: Folders, asked: argparse.Namespace) -> int:
    """Bring back a version that ran."""
    works = rollout(folders, asked.stack, _tell)
    with works.store.alone(wait=True):
        state = works.rollback(asked.to, asked.by)
    print(json.dumps(status(folders, asked.stack, Engine())))
    if state.refused is None:
        return 0
    failed = state.refused
    print(f"failed: {failed.commit[:10]}: {failed.reason}. What ran before comes back", file=sys.stderr)
    return 1


def show(folders: Folders, asked: argparse.Namespace) -> None:
    """How stacks stand."""
    names = [asked.stack] if asked.stack else folders.names()
    found = [status(folders, name, Engine()) for name in names]
    if asked.json:
        print(json.dumps(found[0] if asked.stack else found))
        return
    for entry in found:
        print(f"{entry['stack']}: asked {_short(entry['asked'])}, running {_short(entry['running'])}, {told(entry)}")


def history(folders: Folders, asked: argparse.Namespace) -> None:
    """Deployments, the newest first."""
    events = Store(folders.of(folders.stack(asked.stack).name)).history()[::-1]
    if asked.json:
        print(json.dumps(events))
        return
    for event in events:
        version = event["version"]
        reason = f"  {event['reason']}" if event.get("reason") else ""
        who = version["by"] + (f" ({version['author']})" if version["author"] else "")
        print(f"{event['at']}  {_short(version['commit'])}  {event['result']:8}  {who}{reason}")


def remove(folders: Folders, asked: argparse.Namespace) -> None:
    """Follow a stack no more."""
    with Store(folders.of(asked.stack)).alone(wait=True):
        forget(folders, asked.stack)


def _end(folders: Folders, name: str) -> int:
    """The status on stdout; 1 with the reason where it is not as wanted."""
    found = status(folders, name, Engine())
    print(json.dumps(found))
    if (text := told(found)) == AS_WANTED or found["state"] == ABSENT:  # to start it is not the gate's
        return 0
    print(text, file=sys.stderr)
    return 1


def _tell(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


def _short(commit: Any) -> str:
    return str(commit)[:10] or "-"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("hypercompose-gate", description="between git and Portainer")
    commands = parser.add_subparsers(required=True)
    for name, act in {"serve": serve, "sync": sync, "rollback": rollback, "remove": remove}.items():
        command = commands.add_parser(name, help=act.__doc__)
        command.set_defaults(act=act)
        if name != "serve":
            command.add_argument("stack")
            command.add_argument("--by", default="hand")
        if name == "rollback":
            command.add_argument("--to", default="", help="a commit, or its first letters; none: the one before")
    for name, act in {"status": show, "history": history}.items():
        command = commands.add_parser(name, help=act.__doc__)
        command.set_defaults(act=act)
        command.add_argument("stack", nargs="?" if name == "status" else None)
        command.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
