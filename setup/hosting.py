"""Instances of products: the commands of hosting/ in the session of the environment whose hosts they run on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

import yaml

from setup.lab import lab
from setup.places import CHECKOUT
from setup.report import SetupError
from setup.session import Session
from setup.stack import python

DATABASE, DATABASE_VARIABLE = "hosting.db", "HYPERCOMPOSE_DATABASE"
Command = Callable[[Session, Sequence[str]], int]
COMMANDS = {
    "instances": "list",
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


def new(session: Session, arguments: Sequence[str]) -> int:
    """A new instance; a lab builds the images of its product first, where that takes long."""
    if session.site.is_lab:
        lab(session, "up", *_images(os.environ.get("PRODUCT", "")))
    return hosting(session, "new", *arguments)


def _images(product: str) -> list[str]:
    """Keys of the product's images that images/ holds; none for what is no product, which is refused later."""
    declared = CHECKOUT / "compose" / product / "project.yaml"
    content = yaml.safe_load(declared.read_text()) if "/" not in product and declared.is_file() else {}
    versions = ((content or {}).get("hosting") or {}).get("versions") or {}
    keys = {key for version in versions.values() for key in version["images"].values()}
    return sorted(key for key in keys if (CHECKOUT / "images" / key).is_dir())


def _command(what: str) -> Command:
    return lambda session, arguments: hosting(session, what, *arguments)


HOSTING: Mapping[str, Command] = {**{name: _command(what) for name, what in COMMANDS.items()}, "instance-new": new}
