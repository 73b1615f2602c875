"""Instances of products: the commands of hosting/ in the session of the environment whose hosts they run on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from setup.report import SetupError
from setup.session import Session
from setup.stack import python

DATABASE, DATABASE_VARIABLE = "hosting.db", "HYPERCOMPOSE_DATABASE"
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
    if _has_rows(session) and hosting(session, "guard"):
        raise SetupError(f"stack {session.stack} was left as it is.")


def _has_rows(session: Session) -> bool:
    """Whether somebody may have asked for an instance: a file that is not there is not made to be looked into."""
    elsewhere = session.environment().get(DATABASE_VARIABLE) or session.site.database
    return bool(elsewhere) or (session.site.folder / DATABASE).exists()


def hosting(session: Session, what: str, *arguments: str) -> int:
    """Run a command of hosting/."""
    about = ["--stack", session.stack, "--folder", str(session.site.folder)]
    return python(session, "hosting", what, *about, *arguments)


def _command(what: str) -> Callable[[Session, Sequence[str]], int]:
    return lambda session, arguments: hosting(session, what, *arguments)


HOSTING: Mapping[str, Callable[[Session, Sequence[str]], int]] = {
    name: _command(what) for name, what in COMMANDS.items()
}
