"""The command: what it runs, when it gives up, what its exit code says."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.drift import engine
from delivery.drift.__main__ import main
from tests.delivery.drift.recorded import FOLDER, state

Fake = Callable[[str], None]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A `pulumi` that does what a script says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(state())))

    def install(script: str) -> None:
        (folder / "pulumi").write_text(f"#!/bin/bash\n{script}\n")
        (folder / "pulumi").chmod(0o755)

    return install


def drift(tmp_path: Path, *arguments: str) -> int:
    return main(["--stack", "apps", "--site", "lab-e2e", "--folder", str(tmp_path), *arguments])


def says(name: str, code: int = 0) -> str:
    return f"cat {FOLDER}/{name}.jsonl; exit {code}"


@pytest.mark.parametrize(("name", "ended", "code"), [("clean", 0, 0), ("stopped", 0, 2), ("vm-595", 1, 2)])
def test_the_verdict_is_the_exit_code_and_the_report_is_kept(
    fake: Fake, tmp_path: Path, name: str, ended: int, code: int
) -> None:
    fake(says(name, ended))
    assert drift(tmp_path) == code
    assert json.loads((tmp_path / "drift" / "apps.json").read_text())["stack"] == "apps"


def test_json_is_all_of_standard_output(fake: Fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake(f"echo 'warning: plugins on PATH' >&2; {says('stopped')}")
    assert drift(tmp_path, "--json", "--prometheus", str(tmp_path / "x.prom")) == 2
    assert json.loads(capsys.readouterr().out)["verdict"] == "drifted"
    assert "hypercompose_drift_resources" in (tmp_path / "x.prom").read_text()


def test_it_previews_and_does_nothing_else(fake: Fake, tmp_path: Path) -> None:
    fake(f'echo "$@" $HYPERCOMPOSE_DRIFT $PULUMI_ENABLE_STREAMING_JSON_PREVIEW > {tmp_path}/ran; {says("clean")}')
    assert drift(tmp_path) == 0
    ran = (tmp_path / "ran").read_text()
    assert ran == "preview --refresh --json --non-interactive --parallel 64 --stack apps 1 true\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'error: incorrect passphrase' >&2; exit 255", "error: incorrect passphrase"),
        ("exit 7", "pulumi ended with 7"),
        (
            """echo '{"diagnosticEvent": {"severity": "error", "message": "no such stack"}}'; exit 1""",
            "no such stack",
        ),
    ],
)
def test_a_report_that_cannot_be_made_is_1_with_the_reason_and_leaves_the_last_one(
    fake: Fake, tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, reason: str
) -> None:
    fake(script)
    assert drift(tmp_path) == 1
    assert capsys.readouterr().err == f"drift: no report: {reason}\n"
    assert not (tmp_path / "drift").exists()


def test_what_does_not_answer_in_time_is_unknown_and_the_rest_is_reported(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "TO_END_S", 0.3)
    plugin = f"set -m; sleep 60 & echo $! > {tmp_path}/plugin; wait; wait"  # in a group of its own, as plugins are
    fake(f"trap '' INT; grep -v summaryEvent {FOLDER}/stopped.jsonl | head -45; {plugin}")
    began = time.monotonic()
    assert drift(tmp_path, "--timeout", "0.5") == 2
    assert time.monotonic() - began < 5
    report = json.loads((tmp_path / "drift" / "apps.json").read_text())
    unread = [one["reason"] for one in report["resources"] if one["status"] == "unknown"]
    assert "no answer within 0 s" in unread
    assert report["unplanned"]
    assert not is_alive(int((tmp_path / "plugin").read_text())), "a plugin outlived its engine"


def is_alive(process: int) -> bool:
    """Whether it runs; one that is dead and not buried does not."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("arguments", [["--wrong"], ["--timeout", "x"]])
def test_a_wrong_command_line_does_not_say_drifted(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        drift(tmp_path, *arguments)
    assert ended.value.code == 1
    assert "usage: drift" in capsys.readouterr().err
