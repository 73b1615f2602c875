"""Which program this is: its release, and its commit where it runs in a checkout."""

from __future__ import annotations

import subprocess
import tomllib

from settings.site import CHECKOUT


def program_version() -> dict[str, str]:
    """`version` of pyproject.toml; `commit`, with `-changed` behind it where tracked files differ from it."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {"version": str(project["version"])}
    changed = "-changed" if _git("status", "--porcelain", "--untracked-files=no") else ""
    return {"version": str(project["version"]), "commit": f"{commit[:12]}{changed}"}


def _git(*arguments: str) -> str:
    """What git says of the checkout; nothing where it is none, or there is no git."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
