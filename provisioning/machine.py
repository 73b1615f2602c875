"""This machine, as far as work from it depends on it: programs, plugins of the engine, room."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 5


@dataclass(frozen=True)
class Plugin:
    """Where a plugin is. `is_exact`: in the engine's own folder of that version."""

    path: Path
    is_exact: bool


def version_of(program: str, argument: str) -> str | None:
    """The version that a program on PATH says it has, or where it is; None where there is none."""
    found = shutil.which(program)
    if found is None:
        return None
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run(
            [found, argument], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return found
    said = re.search(r"\d+(\.\d+)+", done.stdout)
    return said[0] if said else found


def find_plugin(name: str, version: str) -> Plugin | None:
    """Where the engine would take a resource plugin from: PATH first, then its own folder."""
    program = f"pulumi-resource-{name}"
    if found := shutil.which(program):
        return Plugin(Path(found), is_exact=False)
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    own = home / "plugins" / f"resource-{name}-v{version}" / program
    return Plugin(own, is_exact=True) if own.exists() else None


def free_bytes(path: Path) -> int:
    """Room for us on the file system of a path."""
    return shutil.disk_usage(path).free
