"""Which engines this machine has started on a bucket: the proof that a lock in it is ours."""

from __future__ import annotations

import json
import time
from pathlib import Path

from setup.report import SetupError
from setup.session import Session

REMEMBERED = 50


def runs_file(session: Session) -> Path:
    """Where they are noted, a line each."""
    return session.site.folder / "runs" / f"{session.stack}.jsonl"


def note_run(session: Session, pid: int) -> None:
    """Note an engine that was just started. In a folder of this machine the lock alone is proof."""
    if session.site.backend.startswith("file://"):
        return
    file, line = runs_file(session), json.dumps({"pid": pid, "started": time.time()})
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = file.read_text().splitlines() if file.exists() else []
        file.write_text("\n".join([*lines[-REMEMBERED + 1 :], line, ""]))
    except OSError as error:
        raise SetupError(f"{file}: cannot be written ({error.strerror}).") from None


def was_started_here(file: Path, pid: int, at: float) -> bool:
    """Whether this machine started an engine with that process id, before that moment."""
    try:
        noted = [json.loads(line) for line in file.read_text().splitlines()]
        return any(run["pid"] == pid and run["started"] <= at + 1 for run in noted)
    except (OSError, ValueError, KeyError, TypeError):
        return False
