"""`make portainer-backup`, `make portainer-restore`: what they need from the stack's state and configuration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from setup.session import Session
from setup.stack import capture, python

VARIABLE = "HYPERCOMPOSE_PORTAINER_BACKUP_PASSWORD"
SETTING = "hypercompose:portainer_backup_password"


def portainer_backup(session: Session, arguments: Sequence[str]) -> int:
    """Portainer's data of HOST, encrypted, into a file beside the site's state."""
    folder = session.site.folder / "portainer-backups"
    return _run(session, "backup", "--folder", str(folder), *arguments)


def portainer_restore(session: Session, arguments: Sequence[str]) -> int:
    """FILE in the place of the data of HOST's Portainer."""
    return _run(session, "restore", "--file", os.environ.get("FILE", ""), *arguments)


def _run(session: Session, command: str, *arguments: str) -> int:
    said = capture(session, "stack", "export", "--show-secrets", "--stack", session.stack)
    given = os.environ.get(VARIABLE) or capture(session, "config", "get", SETTING, "--stack", session.stack).strip()
    with_password = replace(session, variables={**session.variables, VARIABLE: given})
    place = ["--stack", session.stack, "--host", os.environ.get("HOST", "")]
    return python(with_password, "delivery.portainer", *place, command, *arguments, said=said)
