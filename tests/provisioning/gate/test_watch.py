"""How a release fares, from containers that somebody lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provisioning.gate import watch as module
from provisioning.gate.candidate import MARK
from provisioning.gate.engine import EngineError
from provisioning.gate.watch import Watch, until
from tests.provisioning.gate.world import FakeEngine, container, version

EXITED: dict[str, Any] = {"state": "exited", "exit_code": 1}


def watching(*containers: Any, **engine: Any) -> Watch:
    found = Watch(FakeEngine(*containers, **engine), "shop", ("Canary-hook", "Canary-hook-longer", ""))  # type: ignore[arg-type]
    found.look()
    return found


def missing(*containers: Any, **changes: Any) -> list[str]:
    return list(watching(*containers).missing(version(**changes)))


def test_a_container_of_the_version_that_runs_is_all_there_has_to_be() -> None:
    assert missing(container()) == []
    assert missing(container(health="healthy")) == []


def test_containers_of_another_version_do_not_count() -> None:
    assert missing(container("mark-c0")) == ["service web has no container of this version"]
    assert missing(container("mark-c0"), container()) == []


def test_every_one_of_a_scaled_service_is_waited_for() -> None:
    assert missing(container(), scales={"web": 2}) == ["service web has 1 container of this version"]
    assert missing(container(), container(id="2"), scales={"web": 2}) == []


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"health": "starting"}, "starting"),
        ({"health": "unhealthy"}, "unhealthy"),
        (EXITED, "exited (1)"),
        ({"state": "exited"}, "exited (0)"),
        ({"state": "restarting", "exit_code": 3}, "restarting (3)"),
        ({"state": "created"}, "created"),
        ({"state": "created", "error": "port is taken"}, "created: port is taken"),
    ],
)
def test_what_is_not_well_is_told(changes: dict[str, Any], how: str) -> None:
    assert missing(container(**changes)) == [f"service web is {how}"]


def test_a_task_that_has_ended_well_is_well() -> None:
    assert missing(container(state="exited", restart_policy="no")) == []


def test_a_container_of_another_image_is_not_believed() -> None:
    told = missing(container(image="r/web:9"))
    assert told == [f"service web runs r/web:9, expected {version().images['web']}"]


def test_without_a_health_check_it_has_to_run_for_a_moment() -> None:
    now = datetime.now(UTC)
    started = now.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    assert missing(container(started=started)) == ["service web has just started"]
    assert missing(container(started=started, health="healthy")) == []
    assert missing(container(started=started, state="exited", restart_policy="no")) == []
    ahead = (now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert missing(container(started=ahead)) == []  # the clock was set back


@pytest.mark.parametrize(
    "changes", [EXITED, {"health": "unhealthy"}, {"state": "dead"}, {"state": "running", "restarts": 3}]
)
def test_what_cannot_become_well_has_failed_with_its_last_words(changes: dict[str, Any]) -> None:
    found = watching(container(**changes), words={"id-web": [f"line {number}" for number in range(9)]})
    (told,) = found.failed(version())
    assert told.startswith("service web: ")
    if changes.get("restarts") is None:
        assert told.endswith("its last lines: line 3 | line 4 | line 5 | line 6 | line 7 | line 8")


def test_what_fails_and_is_of_another_version_has_no_say() -> None:
    assert watching(container("mark-c0", **EXITED)).failed(version()) == []
    unknown = container("", **EXITED, service="other")
    assert watching(unknown).failed(version()) == []


def test_a_container_without_any_mark_is_none_of_a_service_that_has_none() -> None:
    assert watching(container(labels={}, service="other", **EXITED)).failed(version()) == []


def test_the_last_words_of_what_was_removed_since_are_kept() -> None:
    found = watching(container(**EXITED), words={"id-web": ["no database"]})
    found.engine.found = []  # type: ignore[attr-defined]
    found.look()
    assert found.reasons() == ["service web: gone; its last lines: no database"]


def test_what_a_health_check_said_is_among_them() -> None:
    found = watching(container(health="unhealthy", said_at_check="refused"), words={"id-web": ["up"]})
    assert found.reasons() == ["service web: unhealthy; its last lines: up | health check: refused"]


def test_words_do_not_pile_up_from_look_to_look() -> None:
    found = watching(container(health="unhealthy", said_at_check="refused"))
    for _ in range(5):
        found.look()
    assert found.words["web"].count("health check: refused") == 1


def test_secrets_are_hidden_in_last_words_the_longest_first() -> None:
    found = watching(container(**EXITED), words={"id-web": ["token Canary-hook-longer, Canary-hook"]})
    assert found.reasons() == ["service web: exited (1); its last lines: token ***, ***"]


def test_orphans_are_containers_of_services_that_the_version_does_not_have() -> None:
    assert watching(container(), container(id="old", service="db")).orphans(version()) == ["old"]


def test_all_containers_away_for_a_while_is_gone_and_for_a_moment_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("provisioning.gate.watch.time.monotonic", lambda: now[0])
    found = watching()
    assert not found.is_gone
    now[0] += module.GONE_S + 1
    found.look()
    assert found.is_gone
    setattr(found.engine, "found", [container()])  # noqa: B010  mypy takes the check above for the last word
    found.look()
    assert not found.is_gone


def test_a_docker_that_is_away_is_told_and_not_taken_for_empty() -> None:
    engine = FakeEngine(container())
    engine.down = True
    with pytest.raises(EngineError):
        Watch(engine, "shop").look()  # type: ignore[arg-type]


def test_a_secret_is_in_no_representation_of_a_watch() -> None:
    assert "Canary" not in repr(watching(container()))


def test_until_waits_no_longer_than_it_may() -> None:
    looks = iter([False, False, True])
    assert until(lambda: next(looks), 5, pause_s=0)
    assert not until(lambda: False, 0.01, pause_s=0.001)


def test_a_mark_is_a_label_that_compose_keeps() -> None:
    assert MARK == "hypercompose.release"  # another name would make every container a stranger's
