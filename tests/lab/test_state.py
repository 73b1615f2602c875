"""State in S3, on a real engine: two environments in one bucket, history, a killed run, cut and foreign states."""

from __future__ import annotations

import json
import os
import re
import shlex
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from setup.state.likeness import essence
from tests.lab.bucket import team_checkout
from tests.lab.checkout import Checkout, Done
from tests.s3 import BUCKET, S3, checkpoint_key, s3_server

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
HERE, THERE = "state-here", "state-there"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture(scope="module")
def team(s3: S3) -> Iterator[Checkout]:
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    with team_checkout(s3.backend, HERE, THERE) as checkout:
        yield checkout


def restore_command(refused: Done) -> list[str]:
    """What the refusal says to type."""
    found = re.search(r"make state-restore \S+ EXPORT=\S+", refused.text)
    assert found is not None, refused.text
    return shlex.split(found[0])


def test_two_environments_live_in_one_bucket(team: Checkout, s3: S3) -> None:
    for stack in (HERE, THERE):
        done = team.make("up", stack=stack)
        assert done.code == 0, done.why
    assert team.preview(stack=HERE) == {}
    assert team.make("up", stack=HERE, args="--expect-no-changes").code == 0
    assert len(list((team.folder / ".lab" / "exports" / HERE).glob("*.json"))) == 1  # the same once
    assert {checkpoint_key(HERE), checkpoint_key(THERE)} <= set(s3.names(".pulumi/stacks/"))
    assert not (team.folder / ".lab" / "state" / checkpoint_key(HERE)).exists()


def test_history_is_there(team: Checkout) -> None:
    done = team.pulumi("stack", "history", "--json", stack=HERE)
    assert done.code == 0, done.why
    updates = json.loads(done.text[done.text.index("[\n") :])
    assert [update["result"] for update in updates] == ["succeeded", "succeeded"]


def test_an_export_is_what_the_engine_exports(team: Checkout) -> None:
    done = team.pulumi("stack", "export", stack=HERE)
    theirs = json.loads(done.text[done.text.index("{\n") :])
    newest = max((team.folder / ".lab" / "exports" / HERE).glob("*.json"))
    ours = json.loads(newest.read_text())
    assert newest.stat().st_mode & 0o777 == 0o600
    assert ours.keys() == theirs.keys()
    assert essence(ours["deployment"]) == essence(theirs["deployment"])
    assert len(ours["deployment"]["resources"]) >= 5


def test_a_run_killed_half_way_holds_nobody_up(team: Checkout, s3: S3) -> None:
    assert team.make("down", stack=THERE).code == 0
    with team.fault(path="/version$", delay_s=1.5, times=100):
        team.kill_up_when(lambda text: "Claim site-claim creating" in text, stack=THERE)
    assert s3.names(f".pulumi/locks/organization/hypercompose/{THERE}/")
    mended = team.make("up", stack=THERE)
    assert mended.code == 0, mended.why
    assert "removed the lock of a dead process" in mended.text
    assert team.preview(stack=THERE) == {}


@pytest.mark.parametrize("target", ["up", "preview", "down"])
def test_a_cut_state_is_refused_before_the_engine_runs(team: Checkout, s3: S3, target: str) -> None:
    whole = s3.read(checkpoint_key(HERE))
    s3.write(checkpoint_key(HERE), whole[: len(whole) // 2])
    try:
        refused = team.make(target, stack=HERE)
    finally:
        s3.write(checkpoint_key(HERE), whole)
    assert refused.code != 0
    assert "it is not whole" in refused.text
    assert "Traceback" not in refused.text
    assert "Stack hypercompose-" not in refused.text
    assert restore_command(refused)


def test_the_command_that_is_named_restores_a_cut_state(team: Checkout, s3: S3) -> None:
    whole = s3.read(checkpoint_key(HERE))
    s3.write(checkpoint_key(HERE), whole[: len(whole) // 2])
    checked = team.make("state-check", stack=HERE)
    assert checked.code != 0
    restored = team.run(restore_command(checked))
    assert restored.code == 0, restored.why
    assert essence(s3.state(HERE)) == essence(json.loads(whole)["checkpoint"]["latest"])
    replaced = list((team.folder / ".lab" / "exports" / HERE / "replaced").iterdir())
    assert [file.read_bytes() for file in replaced] == [whole[: len(whole) // 2]]
    assert team.preview(stack=HERE) == {}
    assert team.make("state-check", stack=HERE).code == 0


def test_on_a_machine_without_exports_the_bucket_has_the_last_good_one(team: Checkout, s3: S3) -> None:
    exports = team.folder / ".lab" / "exports" / HERE
    exports.rename(exports.with_name("elsewhere"))
    whole = s3.read(checkpoint_key(HERE))
    s3.write(checkpoint_key(HERE), b"")
    refused = team.make("up", stack=HERE)
    assert "a copy that Pulumi kept in the backend" in refused.text
    restored = team.run(restore_command(refused))
    assert restored.code == 0, restored.why
    assert essence(s3.state(HERE)) == essence(json.loads(whole)["checkpoint"]["latest"])
    assert team.preview(stack=HERE) == {}


def test_a_foreign_state_in_place_of_ours_is_refused(team: Checkout, s3: S3) -> None:
    ours, theirs = s3.read(checkpoint_key(HERE)), s3.read(checkpoint_key(THERE))
    for foreign, says in (
        (theirs, f"it is the state of stack '{THERE}' of project 'hypercompose'"),
        (ours.replace(b"lab-s3", b"lab-other"), "it belongs to site 'lab-other'"),
    ):
        s3.write(checkpoint_key(HERE), foreign)
        refused = team.make("up", stack=HERE)
        s3.write(checkpoint_key(HERE), ours)
        assert refused.code != 0
        assert says in refused.text
        assert restore_command(refused)


def test_a_state_that_is_gone_is_not_begun_anew(team: Checkout, s3: S3) -> None:
    ours = s3.read(checkpoint_key(HERE))
    s3.client.delete_object(Bucket=BUCKET, Key=f"team/{checkpoint_key(HERE)}")
    refused = team.make("up", stack=HERE)
    assert refused.code != 0
    assert "it is gone, although its last export holds" in refused.text
    restored = team.run(restore_command(refused))
    assert restored.code == 0, restored.why
    assert essence(s3.state(HERE)) == essence(json.loads(ours)["checkpoint"]["latest"])


def test_questions_take_no_engine(team: Checkout) -> None:
    began = time.monotonic()
    assert team.make("state-check", stack=HERE, args="--json").code == 0
    assert time.monotonic() - began < 5


def test_of_two_at_once_exactly_one_runs_and_the_other_says_who(team: Checkout) -> None:
    with team.fault(path="/version$", delay_s=0.5, times=20), ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: team.make("up", stack=HERE), range(2)))
    assert sorted(one.code == 0 for one in done) == [False, True], [one.why for one in done]
    assert "is being changed by" in next(one.text for one in done if one.code)


def test_both_go_away(team: Checkout, s3: S3) -> None:
    for stack in (HERE, THERE):
        done = team.make("down", stack=stack)
        assert done.code == 0, done.why
        assert "resources" not in s3.state(stack)
