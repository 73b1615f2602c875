"""How a stack stands, in the same words everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from provisioning.gate.config import Folders
from provisioning.gate.state import Refused, State, Store, Trying
from provisioning.gate.status import AS_WANTED, metrics, status, told
from tests.provisioning.gate.world import FakeEngine, container, version, write

GOOD = State(good=version("c1"), asked="c1", since="2026-11-25T20:00:00+00:00")
LATER = Trying(version=version("c2"), back=False)


def found(folders: Folders, state: State, *containers: Any, **settings: Any) -> dict[str, Any]:
    name = write(folders, **settings)
    store = Store(folders.of(name))
    store.folder.mkdir(parents=True, exist_ok=True)
    store.save(state)
    return status(folders, name, FakeEngine(*containers))  # type: ignore[arg-type]


def how(folders: Folders, state: State, *containers: Any, **settings: Any) -> tuple[str, str]:
    entry = found(folders, state, *containers, **settings)
    return entry["state"], entry["reason"]


def refused(*, ran: bool, commit: str = "c2") -> Refused:
    return Refused(commit=commit, key="k", reason="bad yaml", again=False, ran=ran)


def test_what_runs_as_asked_is_told_with_all_that_it_is(folders: Folders) -> None:
    assert found(folders, GOOD, container()) == {
        "stack": "shop",
        "state": AS_WANTED,
        "reason": "",
        "asked": "c1",
        "running": "c1",
        "release": "release-c1",
        "images": version("c1").images,
        "by": "poll",
        "author": "A <a@b>",
        "since": "2026-11-25T20:00:00+00:00",
        "repushed": {},
    }


def test_nothing_yet(folders: Folders) -> None:
    assert how(folders, State()) == ("not deployed", "")
    assert how(folders, State(), running=False) == ("stopped", "")


def test_on_its_way_forward_and_back(folders: Folders) -> None:
    assert how(folders, State(trying=LATER)) == ("prepared", "")
    assert how(folders, State(trying=LATER, good=version("c1"))) == ("rolling out", "")
    back = Trying(version=version("c1"), back=True, reason="c2 failed")
    assert how(folders, State(trying=back, good=version("c1"))) == ("rolling back", "c2 failed")


def test_before_the_first_is_good_its_release_and_images_are_told(folders: Folders) -> None:
    entry = found(folders, State(trying=LATER, asked="c2"))
    assert (entry["running"], entry["release"], entry["images"]) == ("", "release-c2", version("c2").images)


def test_a_source_that_is_away(folders: Folders) -> None:
    state = State(good=version("c1"), asked="c1", source_error="does not answer")
    assert how(folders, state, container()) == ("source away", "does not answer")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State(refused=refused(ran=False), asked="c2"), "c2: bad yaml"),
        (
            State(refused=refused(ran=False), asked="c2", good=version("c1")),
            "c2: bad yaml. The version before (c1) keeps running",
        ),
        (
            State(refused=refused(ran=True), asked="c2", good=version("c1")),
            "c2: bad yaml. The version before (c1) runs again",
        ),
    ],
)
def test_what_was_refused_says_what_runs_in_its_place(folders: Folders, state: State, reason: str) -> None:
    assert how(folders, state, container()) == ("refused", reason)


def test_a_refused_commit_that_nobody_asks_for_any_more_is_no_news(folders: Folders) -> None:
    state = State(refused=refused(ran=False), asked="c1", good=version("c1"))
    assert how(folders, state, container()) == (AS_WANTED, "")


def test_held_after_a_rollback_by_hand(folders: Folders) -> None:
    state = State(good=version("c1", by="ann"), asked="c2", held="c2")
    assert how(folders, state, container()) == ("held", "rolled back to c1 by ann")
    assert how(folders, State(good=version("c1"), asked="c1", held="c1"), container())[0] == AS_WANTED


def test_what_does_not_run_any_more_is_degraded(folders: Folders) -> None:
    assert how(folders, GOOD) == ("absent", "none of its containers is there; it was stopped, or removed")
    assert how(folders, GOOD, container(state="exited", exit_code=3)) == ("degraded", "service web is exited (3)")
    assert how(folders, GOOD, container("other"))[1] == "service web has no container of this version"
    assert how(folders, GOOD, container(health="starting"))[0] == AS_WANTED


def test_a_docker_that_is_away_is_degraded(folders: Folders) -> None:
    found(folders, GOOD)
    engine = FakeEngine()
    engine.down = True
    assert status(folders, "shop", engine)["reason"].startswith("Docker does not answer")  # type: ignore[arg-type]


def test_tags_that_were_pushed_again(folders: Folders) -> None:
    state = State(good=version("c1"), asked="c1", repushed={"web": "r/web:1@sha256:ab"})
    assert how(folders, state, container()) == ("outdated", "tags were pushed again: web: r/web:1@sha256:ab")


@pytest.mark.parametrize("state", [AS_WANTED, "prepared", "rolling out", "stopped"])
def test_where_nobody_has_to_do_anything_it_is_as_wanted(state: str) -> None:
    assert told({"state": state, "reason": "x"}) == AS_WANTED


def test_else_it_is_one_line() -> None:
    assert told({"state": "refused", "reason": "bad yaml"}) == "refused: bad yaml"
    assert told({"state": "not deployed", "reason": ""}) == "not deployed"


HOSTILE = 'a"} 1\nevil_metric{x="\\y'


def test_metrics_are_what_prometheus_reads_whatever_stands_in_labels() -> None:
    statuses = [
        {"stack": "shop", "state": AS_WANTED, "asked": "c1", "running": "c1"},
        {"stack": HOSTILE, "state": "refused", "asked": HOSTILE, "running": ""},
    ]
    lines = "\n".join(metrics(statuses, {("shop", "running"): 2, (HOSTILE, "failed"): 1})) + "\n"
    families = {family.name: family for family in text_string_to_metric_families(lines)}
    assert set(families) == {
        "hypercompose_gate_stack_ok", "hypercompose_gate_stack_info", "hypercompose_gate_rollouts"
    }  # fmt: skip
    okay = {sample.labels["stack"]: sample.value for sample in families["hypercompose_gate_stack_ok"].samples}
    assert okay == {"shop": 1.0, HOSTILE: 0.0}
    info = families["hypercompose_gate_stack_info"].samples[1]
    assert info.labels == {"stack": HOSTILE, "state": "refused", "asked": HOSTILE, "running": ""}
    assert sum(sample.value for sample in families["hypercompose_gate_rollouts"].samples) == 3


def test_no_secret_is_in_a_status(folders: Folders) -> None:
    words = {"id-web": ["Canary-hidden"]}
    name = write(folders)
    Store(folders.of(name)).folder.mkdir(parents=True)
    Store(folders.of(name)).save(GOOD)
    engine = FakeEngine(container(state="exited", exit_code=1), words=words)
    assert "Canary" not in str(status(folders, name, engine))  # type: ignore[arg-type]
