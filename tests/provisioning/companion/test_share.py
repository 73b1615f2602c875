"""How answers of the host are understood."""

from __future__ import annotations

import json
import re

import pytest

from provisioning.companion.share import Changes, CompanionAway, HalfDone, ShareError
from provisioning.host import Result
from tests.provisioning.companion.world import World


def said(world: World, code: int, out: str = "", err: str = "") -> None:
    world.hosts.said = Result(code, out, err)


def test_a_look_is_one_round_trip(world: World) -> None:
    look = world.share().look(["Floor/other.bin", "Floor/none", "Floor/other.bin"])
    assert look.file("Floor/other.bin").content == bytes(range(256))
    with pytest.raises(ShareError, match="Floor/none: is not there; check the path"):
        look.file("Floor/none")
    with pytest.raises(ShareError, match="elsewhere: was not read"):
        look.file("elsewhere")
    assert world.hosts.asked == 1


def test_no_change_is_no_round_trip(world: World) -> None:
    assert world.share().change(Changes()) == {} and world.hosts.asked == 0


def test_nothing_of_a_file_stands_in_an_argument(world: World) -> None:
    program = world.share().program({"do": "change", "changes": [["put", "x", {"content": "c2VjcmV0"}]]})
    assert program.splitlines()[0] == "exec timeout -k 5 100 python3 -I -B -"
    assert "c2VjcmV0" not in program  # what is asked is packed once more


@pytest.mark.parametrize("code", [124, 137])
def test_a_share_that_hangs_is_away(world: World, code: int) -> None:
    said(world, code)
    with pytest.raises(CompanionAway, match="does not answer within 100 s"):
        world.share().look([])


def test_a_host_without_python_says_so(world: World) -> None:
    said(world, 127, err="timeout: failed to run command 'python3': No such file or directory\n")
    with pytest.raises(ShareError, match=re.escape("//10.0.0.21/M on 10.0.0.9: timeout: failed to run")):
        world.share().look([])


@pytest.mark.parametrize(
    ("kind", "done", "expected", "words"),
    [
        ("busy", 0, ShareError, "x.json: is in use on Windows by a program that lets nobody else write"),
        ("full", 1, HalfDone, "x.json: the companion's disk is full; the old file stands"),
        ("lost", 0, ShareError, "x.json: was changed; the old file stands. Run this again"),
        ("away", 0, CompanionAway, "x.json: was changed; the companion does not answer"),
        ("path", 0, ShareError, "x.json: was changed"),
    ],
)
def test_a_failure_names_the_file_what_stands_and_what_to_do(
    world: World, kind: str, done: int, expected: type[ShareError], words: str
) -> None:
    said(world, 0, json.dumps({"done": done, "failed": {"kind": kind, "words": "was changed", "path": "x.json"}}))
    changes = Changes()
    changes.remove("x.json")
    with pytest.raises(expected, match=re.escape(words)) as error:
        world.share().change(changes)
    assert type(error.value) is expected
