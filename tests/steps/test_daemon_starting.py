"""Docker's daemon while it starts: which daemon.json it has read is known only when it runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from provisioning.steps.step import shell

STAND_INS = """
systemctl() {
    if [ "$1" = show ]; then
        echo . >>"$asked"
        if [ "$(wc -l <"$asked")" -le "$starting" ]; then echo start; else echo "$then"; fi
    elif [ "$(wc -l <"$asked")" -gt "$starting" ] && [ "$then" = running ]; then
        touch "$pid_file"; echo active
    else
        echo activating; return 3
    fi
}
sleep() { :; }
"""


def loaded(folder: Path, *, then: str, starting: int, written: str) -> bool:
    """Whether the check says that the daemon has the file's settings; `written` before or after its start."""
    file, pid_file = folder / "daemon.json", folder / "docker.pid"
    file.write_text("{}")
    if written == "before":
        subprocess.run(["touch", "-d", "1 hour ago", str(file)], check=True)
    else:
        subprocess.run(["touch", "-d", "+1 hour", str(file)], check=True)
    given = f"asked={folder}/asked starting={starting} then={then} step=h-docker-daemon\n: >$asked"
    ours = f"file={file} pid_file={pid_file}"
    program = "\n".join(["set -euo pipefail", given, shell("docker/daemon.sh"), ours, STAND_INS, "is_loaded"])
    return subprocess.run(["bash", "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("starting", [0, 3])
@pytest.mark.parametrize(("written", "is_loaded"), [("before", True), ("after", False)])
def test_a_daemon_that_starts_is_waited_for(tmp_path: Path, starting: int, written: str, is_loaded: bool) -> None:
    assert loaded(tmp_path, then="running", starting=starting, written=written) is is_loaded


@pytest.mark.parametrize("then", ["dead", "failed", "auto-restart"])
def test_one_that_does_not_run_will_read_it(tmp_path: Path, then: str) -> None:
    assert loaded(tmp_path, then=then, starting=2, written="after")
    assert (tmp_path / "asked").read_text().count(".") == 3, "it was waited for without end"
