"""The lab of a session, where its site is one."""

from __future__ import annotations

import sys

from setup.session import Session
from setup.stack import python


def lab(session: Session, command: str, *arguments: str) -> int:
    """Run a command of the lab for this site; nothing on a site that is none. A failed `up` ends the work."""
    if not session.site.is_lab:
        return 0
    site = ["--site", str(session.site.file), "--dir", str(session.site.folder)]
    code = python(session, "lab", command, *arguments, *site)  # words first: argparse takes none behind options
    if code and command == "up":
        sys.exit(code)  # it has said why
    return code
