"""What a run is doing and what it was slow with: from the engine's events, without a value of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from setup.places import CHECKOUT
from setup.progress.events import Run
from setup.progress.watch import VARIABLE, Follower, watched
from setup.progress.words import ongoing, slowest

RECORDED = CHECKOUT / "tests" / "data" / "drift" / "drift-pending.jsonl"
CANARY = "Canary-password"
HOST = "hypercompose:docker:DockerHost"


def urn(name: str, kind: str = f"{HOST}$hypercompose:host:DockerPackages") -> str:
    return f"urn:pulumi:lab::hypercompose::{kind}::{name}"


def pre(name: str, op: str = "create", **more: Any) -> str:
    inputs = {"connection": {"host": "10.77.0.11", "password": CANARY}, "secret": CANARY}
    about = {
        "op": op,
        "urn": urn(name),
        "type": "x",
        "new": {"custom": True, "inputs": inputs, "outputs": {"p": CANARY}},
    }
    return json.dumps({"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": about, **more}})


def end(name: str, kind: str = "resOutputsEvent") -> str:
    return json.dumps({kind: {"metadata": {"op": "create", "urn": urn(name)}}})


def said(name: str, text: str, *, ephemeral: bool = True) -> str:
    return json.dumps({"diagnosticEvent": {"urn": urn(name), "message": text, "ephemeral": ephemeral}})


def test_what_is_long_is_told_with_component_step_host_last_word_and_time() -> None:
    run = Run()
    run.take(pre("vm-1-docker-packages"), 0)
    run.take(pre("vm-2-docker-packages", "update"), 5)
    run.take(said("vm-1-docker-packages", "<{%reset%}>installing packages\n<{%reset%}>"), 6)
    assert list(ongoing(run, 9)) == []
    assert list(ongoing(run, 24)) == [
        "… DockerHost vm-1-docker-packages (DockerPackages) on 10.77.0.11: installing packages (24 s)",
        "… DockerHost vm-2-docker-packages (DockerPackages) on 10.77.0.11: updating (19 s)",
    ]


def test_many_long_ones_are_cut_with_their_count() -> None:
    run = Run()
    for number in range(7):
        run.take(pre(f"s-{number}"), 0)
    lines = list(ongoing(run, 60))
    assert len(lines) == 5
    assert lines[-1] == "… and 3 more"


def test_the_slowest_come_first_and_short_ones_not_at_all() -> None:
    run = Run()
    for name, seconds in (("short", 0.4), ("long", 30.0), ("middle", 2.0)):
        run.take(pre(name), 100)
        run.take(end(name, "resOpFailedEvent" if name == "middle" else "resOutputsEvent"), 100 + seconds)
    lines = list(slowest(run, 33))
    assert lines[0] == "slowest of 3 steps in 33 s:"
    assert [line.split()[:2] for line in lines[1:]] == [["30.0", "s"], ["2.0", "s"]]


def test_a_run_without_anything_slow_says_nothing() -> None:
    run = Run()
    run.take(pre("x"), 0)
    run.take(end("x"), 0.1)
    assert list(slowest(run, 1)) == []


def test_a_plan_is_no_doing_and_a_component_is_told_by_what_is_in_it() -> None:
    run = Run()
    component = json.loads(pre("c"))
    component["resourcePreEvent"]["metadata"]["new"].pop("custom")  # as the engine leaves it out
    run.take(json.dumps(component), 0)
    run.take(pre("x", planning=True), 0)
    run.take(pre("y", "same"), 0)
    assert run.doing == {}


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "3", '{"resourcePreEvent": 3}', '{"diagnosticEvent": {"urn": 1}}', "\0"]
)
def test_a_line_that_is_none_changes_nothing(line: str) -> None:
    run = Run()
    run.take(line, 0)
    assert (run.doing, run.finished) == ({}, [])


def test_no_value_of_an_event_is_ever_told() -> None:
    run = Run()
    run.take(pre("x"), 0)
    run.take(said("x", CANARY, ephemeral=False), 1)  # a diagnostic: the engine shows it, we do not
    told = [*ongoing(run, 60)]
    run.take(end("x"), 60)
    told += slowest(run, 60)
    assert told
    assert CANARY not in "\n".join(told)


def test_names_and_words_cannot_move_the_cursor() -> None:
    run = Run()
    run.take(pre("x\u001b[2J\nforged"), 0)
    run.take(said("x\u001b[2J\nforged", "\u001b[31mred\r\nforged"), 1)
    (line,) = ongoing(run, 60)
    assert line.isprintable()


def test_a_recorded_run_is_read_whole() -> None:
    run = Run()
    # of a preview; a refresh has the same events without this mark, and `custom` was left out of the recording
    plan = RECORDED.read_text().replace('"new": {', '"new": {"custom": true, ')
    for number, line in enumerate(plan.replace('"planning": true', '"planning": false').splitlines()):
        run.take(line, float(number))
    assert len(run.finished) > 20
    assert {one.operation for one in run.finished} == {"refresh"}
    assert any(one.place.component == "DockerHost" for one in run.finished)


def test_half_a_line_waits_for_its_rest_and_a_log_that_never_comes_is_no_error(tmp_path: Path) -> None:
    now, told, file = [0.0], list[str](), tmp_path / "events.json"
    follower = Follower(file, told.append, lambda: now[0])
    follower.look()
    with file.open("w") as log:
        log.write(pre("x")[:40])
        log.flush()
        follower.look()
        assert follower.run.doing == {}
        log.write(pre("x")[40:] + "\n")
        log.flush()
        follower.look()
    for now[0] in (9.0, 11.0, 12.0, 22.0):
        follower.look()
    follower.close()
    assert [line.rpartition("(")[2] for line in told] == ["11 s)", "22 s)"]


def test_an_engine_gets_a_log_of_its_own_that_is_gone_afterwards() -> None:
    told: list[str] = []
    with watched(told.append) as variables:
        file = Path(variables[VARIABLE])
        assert file.parent.stat().st_mode & 0o077 == 0
        script = f"open({str(file)!r}, 'w').write({pre('x') + chr(10)!r})"
        subprocess.run([sys.executable, "-c", script], env={**os.environ, **variables}, check=True)
    assert not file.parent.exists()
    assert told == []


def test_it_is_gone_as_well_when_the_run_ends_badly() -> None:
    with pytest.raises(KeyboardInterrupt), watched(lambda text: None) as variables:
        folder = Path(variables[VARIABLE]).parent
        raise KeyboardInterrupt
    assert not folder.exists()
