"""A stack is watched until it is well, and no longer than it can become so."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from provisioning.compose.containers import Container
from provisioning.portainer import watch as module
from provisioning.portainer.api import PortainerError, PortainerUnreachable
from provisioning.portainer.watch import Goal, RolloutFailed, Watch, essence
from tests.provisioning.portainer.world import NEW, OLD, FakeDocker, FakeStacks, container, stack

LOOK_S = 0.01


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", LOOK_S)


def watch(*looks: list[Container], commit: str = "", runs: str = "", **goal: Any) -> tuple[Watch, list[str]]:
    told: list[str] = []
    images = goal.pop("images", {"web": "web:1"})
    wanted = Goal(name="shop", images=images, commit=commit, **{"timeout_s": 0.1, **goal})
    stacks = FakeStacks(stack(commit=runs))
    made = Watch(stacks, FakeDocker(list(looks) or [[]]), wanted, told.append)  # type: ignore[arg-type]
    return made, told


def docker(found: Watch) -> FakeDocker:
    assert isinstance(found.docker, FakeDocker)
    return found.docker


def failure(found: Watch) -> str:
    with pytest.raises(RolloutFailed) as failed:
        found.until_well(7)
    return str(failed.value)


def test_two_good_looks_are_enough_and_one_is_not() -> None:
    found, _ = watch([container()])
    found.until_well(7)
    assert docker(found).looked == 2


def test_a_bad_look_in_between_begins_the_count_again() -> None:
    good, bad = [container()], [container(health="starting")]
    found, _ = watch(good, bad, good, good)
    found.until_well(7)
    assert docker(found).looked == 4


def test_a_task_that_ended_with_0_is_well() -> None:
    found, _ = watch([container(state="exited", restart_policy="no")])
    found.until_well(7)


def deployed_after(found: Watch, looks: int) -> None:
    """The server tells of the new commit from that look on."""
    asked = list[int]()

    def get(identity: int) -> dict[str, Any]:
        asked.append(identity)
        return stack(commit=NEW if len(asked) >= looks else OLD)

    found.stacks.get = get  # type: ignore[method-assign]


def test_another_commit_is_waited_for() -> None:
    found, _ = watch([container()], commit=NEW, timeout_s=5)
    deployed_after(found, 3)
    found.until_well(7)
    assert docker(found).looked == 4


def test_containers_of_the_version_before_are_waited_out_even_if_they_failed() -> None:
    old = [container(image="web:0", health="unhealthy")]
    found, _ = watch(old, old, old, [container(id="web-2")], commit=NEW, timeout_s=5)
    deployed_after(found, 3)
    found.remember()
    found.until_well(7)
    assert docker(found).looked == 5


def test_a_new_container_that_failed_is_not_waited_out_although_the_commit_is_not_told_yet() -> None:
    found, _ = watch([container()], [container(id="web-2", health="unhealthy")], commit=NEW, runs=OLD, timeout_s=60)
    found.remember()
    assert failure(found).startswith("service web: unhealthy")


def test_a_commit_that_never_comes_is_named_with_the_one_that_runs() -> None:
    found, _ = watch([container()], commit=NEW, runs=OLD)
    assert failure(found) == f"not done within 0 s: commit {OLD[:10]} runs, expected {NEW[:10]}"


def test_a_stack_without_a_commit_runs_nothing() -> None:
    found, _ = watch([container()], commit=NEW, runs="")
    assert "commit nothing runs" in failure(found)


def test_time_that_is_over_tells_everything_that_is_missing() -> None:
    looks = [container(health="starting"), container("api", image="api:0")]
    found, _ = watch(looks, images={"web": "web:1", "api": "api:1", "db": "db:1"})
    text = failure(found)
    assert "service web is starting" in text
    assert "service api runs api:0, expected api:1" in text
    assert "service db has no container" in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"health": "unhealthy"}, "unhealthy"),
        ({"state": "exited", "exit_code": 3}, "exited (3)"),
        ({"state": "dead"}, "dead (0)"),
        ({"state": "restarting", "exit_code": 1, "restarts": 3}, "restarting (1)"),
    ],
)
def test_what_cannot_become_well_fails_at_once_with_its_last_lines(changes: dict[str, Any], told: str) -> None:
    found, _ = watch([container(**changes)], timeout_s=60)
    docker(found).said = {"web-1": [f"line {number}" for number in range(9)]}
    began = time.monotonic()
    text = failure(found)
    assert time.monotonic() - began < 5
    lines = " | ".join(f"line {number}" for number in range(3, 9))
    assert text == f"service web: {told}; its last lines: {lines}"


def test_two_restarts_are_no_failure_yet() -> None:
    found, _ = watch([container(state="restarting", restarts=2)], [container(restarts=2)])
    found.until_well(7)


def test_what_the_health_check_said_is_told_after_the_log() -> None:
    found, _ = watch([container(health="unhealthy", said_at_check="connection refused")])
    docker(found).said = {"web-1": ["listening on the wrong port"]}
    assert failure(found).endswith("its last lines: listening on the wrong port | health check: connection refused")


def test_secrets_are_hidden_wherever_they_are_said() -> None:
    found, _ = watch([container(health="unhealthy")], secrets=("pw", "pw-longer", ""))
    docker(found).said = {"web-1": ["login pw-longer failed, pw too"]}
    assert failure(found).endswith("login *** failed, *** too")


def test_containers_that_are_removed_again_are_a_failure_with_their_last_words() -> None:
    found, _ = watch([container(state="restarting", restarts=1)], [], timeout_s=60)
    docker(found).said = {"web-1": ["no such table"]}
    text = failure(found)
    assert text == "its containers were removed again; service web: gone; its last lines: no such table"


def test_progress_is_told_when_it_changes_and_only_then() -> None:
    starting, good = [container(health="starting")], [container(health="healthy")]
    found, told = watch(starting, starting, starting, good)
    found.until_well(7)
    assert told == ["web starting", "web healthy"]


def during(found: Watch, deploy: Callable[[], Any]) -> str:
    with pytest.raises(RolloutFailed) as failed:
        found.during(deploy)
    return str(failed.value)


def test_a_deployment_gives_its_id_while_progress_is_told() -> None:
    found, told = watch([container(state="created")], [container()])

    def deploy() -> dict[str, Any]:
        time.sleep(6 * LOOK_S)
        return {"Id": 12}

    assert found.during(deploy) == 12
    assert told == ["web created", "web running"]


def test_a_deployment_without_an_answer_has_no_id() -> None:
    found, _ = watch()
    assert found.during(lambda: None) is None


def test_a_failed_deployment_tells_words_said_before_the_containers_went_and_what_compose_said() -> None:
    found, _ = watch([container(health="unhealthy")], [], secrets=("s3cret",))
    docker(found).said = {"web-1": ["cannot open s3cret"]}

    def deploy() -> None:
        time.sleep(5 * LOOK_S)
        raise PortainerError(500, "failed to deploy: dependency failed to start: s3cret", "POST /stacks")

    text = during(found, deploy)
    assert text == (
        "service web: gone; its last lines: cannot open ***; "
        "compose said: failed to deploy: dependency failed to start: ***"
    )


def test_a_look_that_fails_meanwhile_stops_nothing() -> None:
    found, _ = watch()

    def containers(project: str) -> list[Container]:
        raise PortainerUnreachable("busy")

    docker(found).containers = containers  # type: ignore[method-assign]

    def deploy() -> dict[str, Any]:
        time.sleep(3 * LOOK_S)
        return {"Id": 1}

    assert found.during(deploy) == 1


def test_a_connection_that_ends_is_told_as_that_and_not_as_a_failed_rollout() -> None:
    found, _ = watch()

    def deploy() -> None:
        raise PortainerUnreachable("https://x: no answer")

    with pytest.raises(PortainerUnreachable, match="no answer"):
        found.during(deploy)


def test_what_compose_did_is_left_out_of_what_went_wrong() -> None:
    said = (
        "failed to deploy a stack: compose up operation failed: "
        "Network shop_default  Creating Network shop_default  Created "
        "Container shop-web-1  Creating Container shop-web-1  Created Container shop-web-1  Starting "
        "Error response from daemon: port is already allocated"
    )
    assert essence(said) == (
        "failed to deploy a stack: compose up operation failed: Error response from daemon: port is already allocated"
    )


def test_a_warning_is_left_out() -> None:
    assert essence('time="2026-01-01T00:00:00Z" level=warning msg="no version needed" real trouble') == "real trouble"


def test_a_warning_with_quotes_in_it_is_left_out() -> None:
    said = 'time="2026-01-01T00:00:00Z" level=warning msg="The \\"HOME_PAGE\\" variable is not set." real trouble'
    assert essence(said) == "real trouble"


def test_nothing_but_progress_is_nothing_more() -> None:
    assert essence("Container shop-web-1  Started") == "nothing more"


def test_long_words_are_cut_to_their_end() -> None:
    assert essence("x" * 600 + " the end").endswith("x the end") and len(essence("x" * 600)) == 500
