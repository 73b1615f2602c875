"""Instances of products: the commands of hosting/ in the session of the environment whose hosts they run on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from setup.report import SetupError
from setup.session import Session
from setup.stack import python

DATABASE = "hosting.db"
COMMANDS = {
    "instances": "list",
    "instance-new": "new",
    "instance-stop": "stop",
    "instance-start": "start",
    "instance-extend": "extend",
    "instance-resize": "resize",
    "instance-delete": "delete",
    "instance-show": "show",
    "instance-history": "history",
    "instance-secrets": "secrets",
    "instance-preview": "preview",
    "instance-drift": "drift",
    "hosting-ticker": "tick",
    "hosting-unit": "unit",
}
"""Target of make -> command of hosting/."""


def refuse_instances(session: Session) -> None:
    """An environment does not go while instances are on its hosts: their data would go with it."""
    if (session.site.folder / DATABASE).exists() and hosting(session, "guard"):
        raise SetupError(f"stack {session.stack} was left as it is.")


def hosting(session: Session, what: str, *arguments: str) -> int:
    """Run a command of hosting/."""
    about = ["--stack", session.stack, "--folder", str(session.site.folder)]
    return python(session, "hosting", what, *about, *arguments)


def _command(what: str) -> Callable[[Session, Sequence[str]], int]:
    return lambda session, arguments: hosting(session, what, *arguments)


HOSTING: Mapping[str, Callable[[Session, Sequence[str]], int]] = {
    name: _command(what) for name, what in COMMANDS.items()
}
