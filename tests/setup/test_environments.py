"""What `make stacks` and `make diff` learn of states: outputs, time, last drift report. Nothing broken ends them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from setup import environments as module
from setup import sites
from setup.report import SetupError
from tests.setup.checkout import checkout
from tests.setup.state.states import deployment, resource

OUTPUTS = {"program": {"version": "0.1.0"}}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = checkout(tmp_path)
    monkeypatch.setattr(module, "CHECKOUT", folder)
    for name, function in (("read_site", sites.read_site), ("site_of", sites.site_of)):
        monkeypatch.setattr(module, name, lambda asked, function=function: function(asked, folder))
    return folder


def put(world: Path, stack: str, text: str | None = None, **latest: Any) -> None:
    kept = world / ".lab" / "state" / ".pulumi" / "stacks" / "hypercompose"
    kept.mkdir(parents=True, exist_ok=True)
    whole = json.dumps({"version": 3, "checkpoint": {"stack": stack, "latest": deployment(**latest)}})
    (kept / f"{stack}.json").write_text(whole if text is None else text)


def test_a_state_tells_outputs_and_when_it_was_written(world: Path) -> None:
    put(world, "lab", resources=[resource("lab", "hypercompose-lab", module.STACK_TYPE, outputs=OUTPUTS)])
    found = module.states(["lab"])["lab"]
    assert found["outputs"] == OUTPUTS
    assert found["updated"].startswith("2026-11-25T12:00:00")


def test_a_stack_that_never_ran_has_none(world: Path) -> None:
    assert module.states(["lab"]) == {"lab": {}}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99, "checkpoint": {}}'])
def test_a_broken_state_is_told_and_the_others_are_read_all_the_same(world: Path, text: str) -> None:
    put(world, "lab", text)
    put(world, "acceptance", resources=[resource("acceptance", "x", module.STACK_TYPE, outputs=OUTPUTS)])
    found = module.states(["lab", "acceptance"], site="lab")
    assert found["acceptance"]["outputs"] == OUTPUTS
    assert "make state-check STACK=lab" in found["lab"]["error"]


def test_the_last_drift_report_is_told_and_a_broken_one_is_none(world: Path) -> None:
    put(world, "lab")
    reports = world / ".lab" / "drift"
    reports.mkdir()
    (reports / "lab.json").write_text('{"verdict": "drifted", "at": "2026-11-25T09:00:00Z", "resources": []}')
    assert module.states(["lab"])["lab"]["drift"] == {"verdict": "drifted", "at": "2026-11-25T09:00:00Z"}
    (reports / "lab.json").write_text("{")
    assert module.states(["lab"])["lab"]["drift"] == {}


def test_a_stack_without_a_file_and_a_site_that_is_gone_are_told(world: Path) -> None:
    (world / "Pulumi.lost.yaml").write_text("config:\n  hypercompose:site: gone\n")
    found = module.states(["nowhere", "lost"])
    assert "there is no Pulumi.nowhere.yaml" in found["nowhere"]["error"]
    assert "there is no sites/gone.yaml" in found["lost"]["error"]


def test_what_is_missing_on_the_command_line_is_said_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("A", "B", "NAME", "FROM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SetupError, match="A: missing; for example: make diff A=acceptance B=integration"):
        module.diff([])
    with pytest.raises(SetupError, match="NAME: missing; for example: make new-stack NAME=casino-x"):
        module.new_stack([])
