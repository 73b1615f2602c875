"""The same commit with another environment: a commit beside, then ours again; the ref of ours is never moved."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.portainer import watch as watching
from provisioning.portainer.rollout import change
from provisioning.portainer.stacks import AutoUpdate
from provisioning.portainer.wanted import OWNER
from provisioning.portainer.watch import RolloutFailed
from tests.provisioning.portainer.world import BESIDE, NEW, OURS, REF, SOURCE, FakeRepository, World, stack, wanted

HOOK = AutoUpdate(interval="5m", webhook="w-1")
ENV = {"LEVEL": "new", OWNER: OURS}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 0.005)


def world_that_deploys(repository: FakeRepository) -> World:
    """Portainer takes the commit of the ref that it was told last."""
    world = World()
    world.stacks.found = stack(commit=NEW, env={"LEVEL": "old"})

    def deployed() -> None:
        assert world.stacks.found is not None
        told: Any = next(details for name, details in reversed(world.stacks.calls) if name == "set_git")
        commit = BESIDE if told[0].endswith(".again") else repository.commit
        world.stacks.found["GitConfig"] = {"ReferenceName": told[0], "ConfigHash": commit}

    world.stacks.on_deploy = deployed
    return world


def test_portainer_is_led_over_a_commit_beside_and_back() -> None:
    repository = FakeRepository()
    world = world_that_deploys(repository)
    goal = wanted(source=SOURCE, repository=repository, commit=NEW, update=HOOK)
    change(world.scene(), goal, world.stacks.found or {}, redeploy=False)
    assert world.stacks.calls == [
        ("set_git", (REF, ENV, HOOK)),
        ("set_git", (f"{REF}.again", ENV, AutoUpdate(interval="", webhook="w-1"))),
        ("knock", "w-1"),
        ("set_git", (REF, ENV, HOOK)),
        ("knock", "w-1"),
    ]
    assert repository.moved == [] and repository.removed == [f"{REF}.again"]
    assert (world.stacks.found or {})["GitConfig"]["ConfigHash"] == NEW


def test_a_failure_on_the_way_leads_back_to_the_ref_of_ours() -> None:
    repository = FakeRepository()
    world = world_that_deploys(repository)
    world.stacks.on_deploy = lambda: None
    goal = wanted(source=SOURCE, repository=repository, commit=NEW, update=HOOK)
    with pytest.raises(RolloutFailed, match=f"commit {NEW[:10]} runs, expected {BESIDE[:10]}"):
        change(world.scene(), goal, world.stacks.found or {}, redeploy=False)
    assert world.stacks.calls[3] == ("set_git", (REF, ENV, HOOK))
