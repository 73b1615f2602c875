"""The unit of systemd that runs the ticker."""

from __future__ import annotations

import configparser
import getpass
from pathlib import Path

import pytest

from hosting import unit
from hosting.unit import unit_text


def service() -> dict[str, str]:
    found = configparser.ConfigParser(interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(unit_text("lab", "main"))
    assert found["Install"]["WantedBy"] == "multi-user.target"
    return dict(found["Service"])


def test_it_runs_the_ticker_of_a_stack_as_whoever_asked_and_again_when_it_ends() -> None:
    found = service()
    assert found["ExecStart"] == "/usr/bin/make -s hosting-ticker STACK=lab SITE=main"
    assert (found["User"], found["Restart"], found["KillMode"]) == (getpass.getuser(), "always", "mixed")
    assert int(found["TimeoutStopSec"]) == unit.STOP_S


def test_a_folder_with_odd_signs_is_written_as_systemd_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "CHECKOUT", Path("/srv/100% \\ü"))
    assert service()["WorkingDirectory"] == "/srv/100%% \\\\ü"
