"""Running other programs: quiet when they work, with the end of what they said when they do not."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from setup.report import SetupError


def run_quietly(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, remedy: str = ""
) -> str:
    """Run a program and return what it printed; raise SetupError with its last lines when it fails."""
    done = subprocess.run(
        list(command), cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if done.returncode == 0:
        return done.stdout
    said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
    raise SetupError(f"`{' '.join(command[:4])}` ended with {done.returncode}. {remedy}\n{said}".strip())
