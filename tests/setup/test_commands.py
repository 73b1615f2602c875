"""The command line: stdout holds shell lines and nothing else; what follows -- is passed on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from setup import commands
from setup.places import POLICIES
from setup.session import Session
from setup.sites import read_site
from tests.setup.checkout import checkout


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session on a lab whose stack is not there yet."""
    opened = Session(stack="lab", site=read_site("lab", checkout(tmp_path)), parts=(), variables={"A": "x y"})
    monkeypatch.setattr(commands, "open_session", lambda stack, site: opened)
    return opened


def test_env_prints_shell_lines_only(
    session: Session, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    made: list[Session] = []
    monkeypatch.setattr(commands, "init", made.append)
    assert commands.run(["env", "--stack", "lab", "--site", "", "--"]) == 0
    out, err = capfd.readouterr()
    assert out == f"export A='x y';\nexport PULUMI_OPTION_POLICY_PACK={POLICIES};\n# stack lab on site lab\n"
    assert "make lab-up" in err
    assert made == [session]


def test_what_follows_the_dashes_is_passed_on(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []

    def up(_: Session, arguments: Sequence[str]) -> int:
        given.append(list(arguments))
        return 3

    monkeypatch.setattr(commands, "COMMANDS", {"up": up})
    assert commands.run(["up", "--stack", "lab", "--", "--refresh", "--stack", "other"]) == 3
    assert given == [["--refresh", "--stack", "other"]]


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        commands.run(["cancel"])
    assert "invalid choice" in capsys.readouterr().err
