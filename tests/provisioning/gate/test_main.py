"""The gate's command on its host: one sentence and a code for people, JSON for `pulumi up`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioning.gate import __main__ as module
from provisioning.gate.config import Folders
from provisioning.gate.rollout import Rollout
from tests.provisioning.gate.world import World, compose, write

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def here(world: World, folders: Folders, monkeypatch: pytest.MonkeyPatch) -> World:
    """A host on which the stack `shop` is followed."""
    world.folder = folders.of(write(folders))

    def works(at: Folders, name: str, tell: Any = print) -> Rollout:
        world.stack = at.stack(name)
        return world.works()

    monkeypatch.setattr(module, "Folders", lambda: folders)
    monkeypatch.setattr(module, "Engine", lambda: world.engine)
    monkeypatch.setattr(module, "rollout", works)
    return world


def run(*arguments: str) -> int:
    return module.main(list(arguments))


def test_sync_brings_it_to_its_source_and_tells_how_it_stands(here: World, capsys: Capture) -> None:
    commit = here.source.push(compose("1"))
    assert run("sync", "shop", "--by", "up by ann") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["running"], found["by"]) == ("as wanted", commit, "up by ann")


def test_sync_of_what_is_refused_is_a_status_a_sentence_and_a_code(here: World, capsys: Capture) -> None:
    commit = here.source.push("services: {}")
    assert run("sync", "shop") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["state"] == "refused"
    assert said.err == f"refused: {commit[:10]}: services: none is left to run; expected one at least\n"


def test_sync_says_so_where_the_ref_is_at_another_commit_than_was_published(
    here: World, folders: Folders, capsys: Capture
) -> None:
    commit = here.source.push(compose("1"))
    write(folders, commit="f" * 40)
    assert run("sync", "shop") == 1
    expected = f"ref refs/heads/main: is at {commit[:10]}, expected ffffffffff; somebody pushed to it\n"
    assert capsys.readouterr().err == expected


def test_sync_of_a_first_release_is_done_when_portainer_can_take_it(here: World, capsys: Capture) -> None:
    here.deaf = "Portainer has no such stack yet"
    here.source.push(compose("1"))
    assert run("sync", "shop") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "prepared"


def test_rollback_to_one_that_ran_is_no_error_and_another_name_is(here: World, capsys: Capture) -> None:
    first = here.release("1")
    second = here.release("2")
    assert run("rollback", "shop", f"--to={first[:7]}", "--by=ann") == 0
    assert json.loads(capsys.readouterr().out)["running"] == first
    assert run("rollback", "shop", "--to=dead") == 1
    assert f"TO=dead: no such version, expected one of: {first[:10]}, {second[:10]}" in capsys.readouterr().err


def test_a_rollback_that_fails_is_an_error(here: World, capsys: Capture) -> None:
    here.release("1")
    here.release("2")
    here.on_knock = lambda: here.engine.found.clear()
    here.deaf = "deaf"
    assert run("rollback", "shop") == 1
    assert "its containers were removed again" in capsys.readouterr().err


def test_status_is_one_line_a_stack_or_json(here: World, folders: Folders, capsys: Capture) -> None:
    commit = here.release("1")
    write(folders, name="other")
    assert run("status") == 0
    assert capsys.readouterr().out.splitlines() == [
        "other: asked -, running -, not deployed",
        f"shop: asked {commit[:10]}, running {commit[:10]}, as wanted",
    ]
    run("status", "--json")
    assert [entry["stack"] for entry in json.loads(capsys.readouterr().out)] == ["other", "shop"]
    run("status", "shop", "--json")
    assert json.loads(capsys.readouterr().out)["stack"] == "shop"


def test_history_is_the_newest_first_with_who_and_why(here: World, capsys: Capture) -> None:
    here.release("1")
    bad = here.release("bad")
    assert run("history", "shop") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["back", "failed", "running"]
    assert bad[:10] in lines[1] and "poll (A <a@b>)  service web: exited (1)" in lines[1]
    run("history", "shop", "--json")
    assert [event["result"] for event in json.loads(capsys.readouterr().out)] == ["back", "failed", "running"]


def test_a_removed_stack_is_followed_no_more_and_removing_it_again_is_no_error(here: World, folders: Folders) -> None:
    here.release("1")
    for _ in range(2):
        assert run("remove", "shop") == 0
        assert folders.names() == [] and not folders.of("shop").exists()


@pytest.mark.parametrize("command", ["sync", "status", "history", "rollback"])
def test_a_stack_that_is_not_there_is_one_sentence(here: World, capsys: Capture, command: str) -> None:
    assert run(command, "none") == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.endswith("none.json: no such file; run `pulumi up` for this host\n")


def test_a_disk_that_is_full_is_one_sentence(here: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    here.source.push(compose("1"))
    monkeypatch.setattr("provisioning.gate.state.os.fsync", full)
    assert run("sync", "shop") == 1
    assert "No space left on device" in capsys.readouterr().err


def test_no_secret_is_in_what_any_command_prints(here: World, folders: Folders, capsys: Capture) -> None:
    here.engine.logs = lambda identity: ["Canary-hidden", "Canary-hook"]  # type: ignore[method-assign]
    here.release("1")
    here.release("bad")
    for command in (["status"], ["history", "shop"], ["history", "shop", "--json"], ["sync", "shop"]):
        run(*command)
    said = capsys.readouterr()
    assert "Canary" not in said.out + said.err and Path(folders.settings).exists()
