"""Starting and stopping by Portainer alone: ours only, no call where it is so already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hosting import switch as module
from hosting.switch import NotDeployed, Switch
from provisioning.portainer import watch
from provisioning.portainer.watch import RolloutFailed
from tests.hosting.orders import order
from tests.hosting.working import TEXT
from tests.provisioning.portainer.world import FakeDocker, FakeStacks, container, stack

OURS = "lab/dev/i-shop"


class World:
    """One stack at a Portainer, and its containers."""

    def __init__(self, status: int = 1, owner: str | None = OURS) -> None:
        self.stacks, self.docker, self.told = FakeStacks(content=TEXT), FakeDocker(), list[str]()
        self.stacks.found = {**stack(owner=owner), "Name": "i-shop", "Status": status}
        server: Any = object()
        self.switch = Switch(server=server, environment_id=3, order=order())

    def start(self, timeout_s: float = 5) -> None:
        self.switch.start(timeout_s, self.told.append)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(watch, "LOOK_S", 0.01)

    def make(**given: Any) -> World:
        found = World(**given)
        monkeypatch.setattr(module, "Stacks", lambda server, number: found.stacks)
        monkeypatch.setattr(module, "Docker", lambda server, number: found.docker)
        return found

    return make


def test_one_that_runs_is_stopped_and_one_that_is_stopped_is_left_so(world: Any) -> None:
    running = world()
    running.switch.stop()
    running.switch.stop()
    assert running.stacks.calls == [("stop", 7)]


def test_one_that_is_stopped_is_started_and_watched_until_it_is_well(world: Any) -> None:
    stopped = world(status=2)
    stopped.docker.looks = [[], [container(health="starting")], [container()]]
    stopped.start()
    assert stopped.stacks.calls == [("start", 7)] and stopped.told[-1] == "web running"


def test_the_images_that_were_deployed_are_waited_for_whatever_the_catalogue_has_by_now(world: Any) -> None:
    stopped = world(status=2)
    stopped.stacks.content = "services: {web: {image: 'old@sha256:1'}, db: {image: 'db:9'}}"
    old = [container(image="old@sha256:1"), container("db", image="db:9")]
    stopped.docker.looks = [[container()], old]
    stopped.start()
    assert stopped.stacks.calls == [("start", 7)]


def test_one_that_is_started_already_is_only_watched(world: Any) -> None:
    running = world()
    running.start()
    assert running.stacks.calls == []


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        ([[container(health="starting")]], "not done within 0 s: service web is starting"),
        ([[container(state="exited", exit_code=3)]], "service web: exited (3)"),
        ([[container(image="other:1")]], "service web runs other:1, expected web:1"),
        ([[]], "service web has no container"),
    ],
)
def test_one_that_does_not_become_well_says_why(world: Any, looks: Any, said: str) -> None:
    stopped = world(status=2)
    stopped.docker.looks = looks
    with pytest.raises(RolloutFailed) as raised:
        stopped.start(timeout_s=0.1)
    assert said in str(raised.value)


@pytest.mark.parametrize("owner", [None, "lab/other/i-shop", "main/dev/i-shop"])
def test_a_stack_of_that_name_that_is_not_ours_is_left_alone(world: Any, owner: str | None) -> None:
    theirs = world(owner=owner)
    for act in (theirs.switch.stop, theirs.start):
        with pytest.raises(NotDeployed, match="Portainer has no stack i-shop of ours"):
            act()
    assert theirs.stacks.calls == []


def test_one_that_is_gone_is_told(world: Any, tmp_path: Path) -> None:
    gone = world()
    gone.stacks.found = None
    with pytest.raises(NotDeployed):
        gone.switch.stop()
