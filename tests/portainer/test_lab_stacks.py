"""Stacks from text: made, changed, stopped, started, removed, and what failures leave behind."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.portainer.recordings import covers, recorded
from tests.portainer.replay import Replay
from tests.portainer.servers import Server, with_compose

pytestmark = pytest.mark.lab

Register = Callable[[Replay], Replay]
TEXT, RACE, ADOPT = "08-stacks-string", "13-more-git-and-races", "15-adopt-external"
NOWHERE = "127.0.0.1:5999/none:1"
ENDPOINT = ("endpoints", "3")


@covers("08-stacks-string", *range(0, 10), 11, 12, 14, 15, 16, 17, *range(19, 29), 30)
def test_a_stack_is_made_and_changed(lab_replay: Replay, replay: Register) -> None:
    run = replay(lab_replay)
    run.play(TEXT, *range(0, 10))
    assert not run.containers("s1", run.numbers[ENDPOINT])
    run.play(TEXT, 11, 12)  # the first name loses its capitals, its blank and its mark
    first = run.containers("s1", run.numbers[ENDPOINT])["web"]
    assert first["State"] == "running"
    run.play(TEXT, 14, 15, 16, 17, *range(19, 29))
    assert run.containers("s1", run.numbers[ENDPOINT])["web"]["Id"] == first["Id"]
    run.play(TEXT, 30)
    assert run.containers("s1", run.numbers[ENDPOINT])["web"]["Id"] != first["Id"]


@covers("08-stacks-string", 32, 33, 35, 37, 38, 39, 41, 42)
def test_variables_left_out_are_gone_and_a_failed_update_takes_the_stack_down(
    lab_replay: Replay, replay: Register
) -> None:
    run = replay(lab_replay)
    run.play(TEXT, 32)
    run.play(TEXT, 33, body=_with_image(recorded(TEXT)[33].body))
    assert run.containers("s1", run.numbers[ENDPOINT])["web"]["State"] == "running"  # a failed pull changes nothing
    run.play(TEXT, 35)
    assert not run.containers("s1", run.numbers[ENDPOINT])
    run.play(TEXT, 37, 38, 39, 41, 42)
    assert run.containers("s1", run.numbers[ENDPOINT])["web"]["State"] == "running"


@covers("08-stacks-string", 44, 46, 47, 48, *range(50, 57), 59)
def test_a_stack_is_stopped_started_and_removed_but_for_its_volumes(lab_replay: Replay, replay: Register) -> None:
    run = replay(lab_replay)
    run.play(TEXT, 44)
    assert not run.containers("s1", run.numbers[ENDPOINT])
    run.play(TEXT, 46, 47, 48)
    assert run.containers("s1", run.numbers[ENDPOINT])["web"]["State"] == "running"
    run.play(TEXT, *range(50, 57))
    assert not run.containers("s1", run.numbers[ENDPOINT])
    volumes = run.ask("GET", f"/api/endpoints/{run.numbers[ENDPOINT]}/docker/volumes").json()["Volumes"]
    assert f"{run.prefix}s1_data" in {volume["Name"] for volume in volumes}
    run.play(TEXT, 59)


@covers("13-more-git-and-races", 6, 7, 10, 11)
def test_two_creates_of_one_name_at_once_both_succeed(lab_replay: Replay, replay: Register) -> None:
    run = replay(lab_replay)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda index: run.play(RACE, index), (6, 7)))
    names = [stack["Name"] for stack in run.ask("GET", "/api/stacks").json()]
    assert names.count(f"{run.prefix}race1") == 2
    run.play(RACE, 10, 11)


@covers("08-stacks-string", 18)
@covers("15-adopt-external", 1, 3, 4)
@covers("13-more-git-and-races", 9)
def test_projects_that_run_already_are_adopted(
    lab_replay: Replay, replay: Register, lab_server: Server | None, engine_url: str, tmp_path: Path
) -> None:
    if lab_server is None:
        pytest.skip("needs the engine at hand, to start projects without the server")
    run = replay(lab_replay)
    before = {}
    for name, call in (("ext1", recorded(TEXT)[18]), ("ext2", recorded(ADOPT)[1])):
        file = tmp_path / f"{name}.yml"
        file.write_text(json.loads(run.here(json.dumps(call.body)))["StackFileContent"])
        command = ["docker-compose", "-f", str(file), "--project-name", f"{run.prefix}{name}", "up", "-d"]
        subprocess.run(command, env=with_compose({"DOCKER_HOST": engine_url}), check=True, capture_output=True)
        before[name] = run.containers(name, run.numbers[ENDPOINT])["web"]["Id"]
    run.play(TEXT, 18)
    run.play(ADOPT, 1, 3)
    after = {name: run.containers(name, run.numbers[ENDPOINT])["web"]["Id"] for name in before}
    assert after == before
    run.play(RACE, 9)
    run.play(ADOPT, 4)
    assert not run.containers("ext2", run.numbers[ENDPOINT])


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("plain", "plain"),
        ("'a $HOME b'", "a $HOME b"),
        ("'# not a comment'", "# not a comment"),
        ("'say \"yes\"'", 'say "yes"'),
        ('"it\'s"', "it's"),
        ('"two\\nlines"', "two\nlines"),
        ('"5 \\$ and \\\\ and \\""', '5 $ and \\ and "'),
    ],
)
def test_values_of_variables_are_written_as_they_come_so_the_client_quotes_them(
    lab_server: Server | None, tmp_path: Path, value: str, seen: str
) -> None:
    """Without an engine: what Compose reads from the file that the server writes."""
    import yaml

    from lab.portainer.deployments import write_env_file

    stack: dict[str, Any] = {
        "ProjectPath": str(tmp_path),
        "EntryPoint": "c.yml",
        "Env": [{"name": "V", "value": value}],
    }
    write_env_file(stack)
    (tmp_path / "c.yml").write_text("services: {web: {image: x, environment: {V: '${V}'}}}\n")
    command = ["docker-compose", "-f", "c.yml", "--project-name", "x", "--env-file", "stack.env", "config"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=with_compose({"DOCKER_HOST": "unix:///nowhere"}),
        check=True,
        capture_output=True,
        text=True,
    )
    value_shown = yaml.safe_load(done.stdout)["services"]["web"]["environment"]["V"]
    assert value_shown.replace("$$", "$") == seen


def _with_image(body: dict[str, Any]) -> dict[str, Any]:
    """An image that no registry has; the recorded one was looked for on the internet."""
    changed = copy.deepcopy(body)
    changed["StackFileContent"] = changed["StackFileContent"].replace("labbusy:1", NOWHERE)
    return changed
