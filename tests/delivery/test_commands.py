"""`make commands`: what a preview would run on hosts."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from delivery.commands import main, rendered

PLACE: dict[str, Any] = {"connection": {"host": "10.0.0.1", "port": 22}, "step": "h-hostname"}


def step(kind: str, op: str = "create", **inputs: Any) -> dict[str, Any]:
    state = {"type": f"hypercompose:host:{kind}", "inputs": inputs}
    return {"op": op, "urn": f"urn:pulumi:lab::hypercompose::hypercompose:host:{kind}::x", "newState": state}


def test_a_step_is_rendered_with_its_values_and_its_script() -> None:
    lines = list(rendered([step("Hostname", hostname="one; reboot", state="as wanted", **PLACE)]))
    assert lines[0] == "# ── h-hostname (Hostname) on 10.0.0.1: create"
    assert "hostname='one; reboot'" in lines[1]
    assert "apply() {" in lines[1]


def test_what_is_deleted_or_no_step_is_left_out() -> None:
    others = [{"op": "delete", "urn": "x", "oldState": {}}, step("Filesystem", vm="1"), {"op": "same", "urn": "y"}]
    assert list(rendered(others)) == []


def test_a_command_of_ones_own_is_listed_without_secrets() -> None:
    state = {"type": "command:remote:Command", "inputs": {"create": "[secret]", "connection": "[secret]"}}
    lines = list(rendered([{"op": "same", "urn": "a::b::t::h-command-warm", "newState": state}]))
    assert lines[:2] == ["# ── h-command-warm (a command of yours) on a VM of this stack: same", "create: ***"]


def test_a_preview_that_failed_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main([]) == 1
    assert "make preview" in capsys.readouterr().err


def test_the_library_comes_when_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"steps": []})))
    assert main(["--library"]) == 0
    assert "own_file() {" in capsys.readouterr().out
