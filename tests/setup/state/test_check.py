"""`make state-check` says what holds, and never that something holds which was not looked at."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from setup.report import SetupError
from setup.session import Session
from setup.state.check import state_check
from setup.state.guard import keep
from tests.setup.state.states import claim, kept, lab_session, put_bytes, put_state, resource

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "passphrase").write_text("lab")
    put_state(tmp_path / "state", "lab", resources=[resource(), claim("lab")])
    found = replace(lab_session(tmp_path), variables={"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "passphrase")})
    keep(found)
    return found


def rows(session: Session, capture: Capture) -> tuple[int, dict[str, dict[str, str]]]:
    code = state_check(session, ["--json"])
    said = json.loads(capture.readouterr().out)
    assert said["good"] is (code == 0)
    return code, {row["check"]: row for row in said["checks"]}


def results(session: Session, capture: Capture) -> dict[str, str]:
    return {name: row["result"] for name, row in rows(session, capture)[1].items()}


ALL = ("readable", "state", "pending", "passphrase", "lock", "exports")


def test_all_is_well(session: Session, capsys: Capture) -> None:
    assert results(session, capsys) == dict.fromkeys(ALL, "pass")
    assert state_check(session, []) == 0
    text = capsys.readouterr().out
    assert "2 resources" in text
    assert "site lab" in text


def test_a_cut_state_fails_with_the_command_and_hides_nothing(
    session: Session, tmp_path: Path, capsys: Capture
) -> None:
    put_bytes(tmp_path / "state", "lab", b'{"version": 3')
    code, found = rows(session, capsys)
    assert code == 1
    assert "make state-restore STACK=lab EXPORT=" in found["state"]["remedy"]
    assert [found[name]["result"] for name in ALL] == ["pass", "fail", "not checked", "not checked", "pass", "pass"]


def test_a_backend_that_does_not_answer_is_a_failure(
    session: Session, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    away = replace(session, site=replace(session.site, backend="s3://state?endpoint=http://127.0.0.1:1&region=eu"))
    code, found = rows(away, capsys)
    assert code == 1
    assert "cannot be reached" in found["readable"]["found"]
    assert [found[name]["result"] for name in ALL] == ["fail", *["not checked"] * 4, "pass"]


def test_another_passphrase_fails(session: Session, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "passphrase").write_text("another")
    assert results(session, capsys)["passphrase"] == "fail"
    (tmp_path / "passphrase").unlink()
    assert results(session, capsys)["passphrase"] == "fail"


def test_an_interrupted_run_is_told_with_what_to_do(session: Session, tmp_path: Path, capsys: Capture) -> None:
    put_state(tmp_path / "state", "lab", resources=[resource()], pending_operations=[{}, {}])
    code, found = rows(session, capsys)
    assert (code, found["pending"]["remedy"]) == (0, "make recover STACK=lab")
    assert found["pending"]["found"] == "2 operations were cut off"


def test_a_lock_is_told_with_who_holds_it(session: Session, tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "state" / ".pulumi" / "locks" / "organization" / "hypercompose" / "lab"
    folder.mkdir(parents=True)
    holder = {"pid": os.getpid(), "username": "ann", "timestamp": "2026-11-25T12:00:00Z"}
    (folder / "1.json").write_text(json.dumps({**holder, "hostname": "elsewhere"}))
    found = rows(session, capsys)[1]["lock"]
    assert "ann@elsewhere" in found["found"]
    assert "wait" in found["remedy"]
    (folder / "1.json").write_text(json.dumps({**holder, "hostname": socket.gethostname()}))
    assert "of a dead process" in rows(session, capsys)[1]["lock"]["found"]  # the process is no pulumi


def test_a_bad_export_is_named(session: Session, capsys: Capture) -> None:
    bad = session.site.folder / "exports" / "lab" / "20200101T000000.000000Z.json"
    bad.write_text("{")
    assert state_check(session, []) == 0
    text = capsys.readouterr().out
    assert f"{bad}: it is not whole" in text
    assert "1 good in" in text


def test_a_stack_that_is_not_there(session: Session, tmp_path: Path, capsys: Capture) -> None:
    assert results(lab_session(tmp_path / "new"), capsys)["readable"] == "pass"
    (tmp_path / "state" / ".pulumi" / "stacks" / "hypercompose" / "lab.json").unlink()
    code, found = rows(session, capsys)
    assert code == 1
    assert "its last export holds 2 resources" in found["readable"]["found"]


def test_unknown_words_are_refused(session: Session) -> None:
    with pytest.raises(SetupError, match="takes --json only"):
        state_check(session, ["--jsom"])


def test_what_a_foreign_state_says_cannot_write_to_the_terminal(
    session: Session, tmp_path: Path, capsys: Capture
) -> None:
    put_bytes(tmp_path / "state", "lab", kept(resources=[claim("\x1b[2J\n<script>$(reboot)|'")]))
    state_check(session, [])
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert r"\x1b[2J\n<script>$(reboot)|'" in text
