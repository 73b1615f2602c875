"""Folders of killed test runs are removed; their labs count as abandoned then, and the next lab clears them away."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

OWNER = ".lock"
"""File with the process id of the run a folder belongs to: pytest writes it into its own."""


def claim(folder: Path) -> None:
    """Say that this process' run is what the folder belongs to."""
    (folder / OWNER).write_text(str(os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()))


def forget_dead_runs(root: Path | None = None) -> None:
    """Remove the folders in `root` (the machine's temporary one) whose run is no more."""
    root = root or Path(tempfile.gettempdir())
    for folder in (*root.glob("pytest-of-*/pytest-*"), *root.glob("hypercompose-*")):
        owner = folder / OWNER
        if owner.is_file() and not _runs(owner.read_text()):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: str) -> bool:
    return pid.strip().isdigit() and Path("/proc", pid.strip()).exists()
