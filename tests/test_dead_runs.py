"""What a killed test run left is removed, what belongs to a living one stays."""

import subprocess
from pathlib import Path

from tests.dead_runs import OWNER, claim, forget_dead_runs


def _run(root: Path, name: str, owner: str | None) -> Path:
    folder = root / name
    (folder / "lab").mkdir(parents=True)
    if owner is not None:
        (folder / OWNER).write_text(owner)
    return folder


def test_only_folders_of_dead_runs_are_removed(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    dead = [_run(tmp_path, name, str(ended.pid)) for name in ("pytest-of-ann/pytest-3", "hypercompose-0")]
    kept = [_run(tmp_path, name, None) for name in ("pytest-of-ann/pytest-4", "hypercompose-2", "other")]
    living = _run(tmp_path, "hypercompose-1", None)
    claim(living)
    forget_dead_runs(tmp_path)
    assert [folder.exists() for folder in (*dead, *kept, living)] == [False] * 2 + [True] * 4
