"""Restoring looks at both sides first, keeps what was there, and reads back what it has done."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from setup.report import SetupError
from setup.session import Session
from setup.state.guard import keep
from setup.state.restore import state_restore
from tests.setup.state.states import claim, deployment, export, kept, lab_session, put_bytes, put_state, resource

PARTS: dict[str, Any] = {"resources": [resource(), claim("lab")]}
Restore = Callable[[str | Path], int]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A stack whose state is cut, with one good export."""
    (tmp_path / "passphrase").write_text("lab")
    found = replace(lab_session(tmp_path), variables={"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "passphrase")})
    put_state(tmp_path / "state", "lab", **PARTS)
    keep(found)
    put_bytes(tmp_path / "state", "lab", b"cut")
    return found


@pytest.fixture
def lines(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was run; an import is carried out as the engine does it."""
    ran: list[list[str]] = []

    def run_to_end(line: Sequence[str], *_: Any, **__: Any) -> int:
        ran.append(list(line))
        if line[:3] == ["pulumi", "stack", "import"]:
            content = json.loads(Path(line[4]).read_text())["deployment"]
            put_state(tmp_path / "state", "lab", **{"resources": content.get("resources", [])})
        return 0

    monkeypatch.setattr("setup.stack.run_to_end", run_to_end)
    return ran


@pytest.fixture
def restore(session: Session, lines: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> Restore:
    def run(file: str | Path, *arguments: str) -> int:
        monkeypatch.setenv("EXPORT", str(file))
        return state_restore(session, arguments)

    return run


def exported(session: Session) -> Path:
    return max((session.site.folder / "exports" / "lab").glob("*.json"))


def test_the_export_comes_back_and_what_was_there_is_kept(
    session: Session, restore: Restore, lines: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    file = exported(session)
    assert restore(file) == 0
    assert lines == [["pulumi", "stack", "import", "--file", str(file), "--stack", "lab"]]
    (replaced,) = (session.site.folder / "exports" / "lab" / "replaced").iterdir()
    assert replaced.read_bytes() == b"cut"
    assert "make drift STACK=lab" in capsys.readouterr().err


def test_a_stack_that_is_gone_is_made_first(
    session: Session, restore: Restore, lines: list[list[str]], tmp_path: Path
) -> None:
    (tmp_path / "state" / ".pulumi" / "stacks" / "hypercompose" / "lab.json").unlink()
    assert restore(exported(session)) == 0
    assert [line[1:3] for line in lines] == [["stack", "init"], ["stack", "import"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "it is empty"),
        (export(**PARTS)[:200], "it is not whole"),
        (export(resources=[resource("acceptance")]), "it is the state of stack 'acceptance'"),
        (export(resources=[claim("main")]), "it belongs to site 'main'"),
        (export(resources=[resource(parent="gone")]), "is missing"),
        (kept(**PARTS).decode(), "expected what `pulumi stack export` prints"),
        ("<script>alert(1)</script>", "not whole"),
    ],
)
def test_what_is_not_an_export_of_this_stack_changes_nothing(
    restore: Restore, lines: list[list[str]], tmp_path: Path, content: str, says: str
) -> None:
    file = tmp_path / "it's $(reboot)|.json"
    file.write_text(content)
    with pytest.raises(SetupError, match=says):
        restore(file)
    assert lines == []


def test_a_file_that_is_not_there_and_none_at_all(session: Session, restore: Restore) -> None:
    with pytest.raises(SetupError, match="No such file"):
        restore("/nowhere\n/x")
    with pytest.raises(SetupError, match="name the export") as refused:
        restore("")
    assert str(exported(session)) in str(refused.value)


def test_another_passphrase_is_refused_before_anything_is_lost(
    session: Session, restore: Restore, lines: list[list[str]], tmp_path: Path
) -> None:
    (tmp_path / "passphrase").write_text("another")
    with pytest.raises(SetupError, match="does not open it"):
        restore(exported(session))
    assert lines == []


def test_a_sound_state_is_replaced_only_when_told(
    session: Session, lines: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_state(tmp_path / "state", "lab", resources=[*PARTS["resources"], resource(name="new")])
    monkeypatch.setenv("EXPORT", str(exported(session)))
    with pytest.raises(SetupError, match="is sound, with 3 resources"):
        state_restore(session, [])
    assert lines == []
    assert state_restore(session, ["--yes"]) == 0


def test_a_stack_in_use_is_left_alone(
    session: Session, restore: Restore, lines: list[list[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "state" / ".pulumi" / "locks" / "organization" / "hypercompose" / "lab"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text(json.dumps({"pid": 1, "username": "ann", "hostname": f"not-{socket.gethostname()}"}))
    with pytest.raises(SetupError, match="is in use by ann@not-"):
        restore(exported(session))
    assert lines == []


def test_an_import_that_brought_something_else_is_no_success(
    session: Session, restore: Restore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def brings_less(*_: Any, **__: Any) -> int:
        put_state(tmp_path / "state", "lab", resources=[resource()])
        return 0

    monkeypatch.setattr("setup.stack.run_to_end", brings_less)
    with pytest.raises(SetupError, match="holds something else"):
        restore(exported(session))


def test_operations_that_were_cut_off_are_not_forgotten(
    restore: Restore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pending.json"
    file.write_text(json.dumps({"version": 3, "deployment": deployment(**PARTS, pending_operations=[{}])}))
    assert restore(file) == 0
    assert "make recover STACK=lab" in capsys.readouterr().err
