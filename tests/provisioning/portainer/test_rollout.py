"""A stack brought to what is wanted; and what ran before, where that fails."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.compose.containers import Container
from provisioning.compose.look import ComposeRefused
from provisioning.errors import ProvisioningError
from provisioning.portainer import watch as watching
from provisioning.portainer.api import PortainerError
from provisioning.portainer.rollout import change, create, existing, prepare
from provisioning.portainer.stacks import AutoUpdate
from provisioning.portainer.wanted import OWNER, NotOurs, Wanted
from provisioning.portainer.watch import RolloutFailed
from tests.provisioning.portainer.world import (
    NEW,
    OLD,
    OURS,
    REF,
    SOURCE,
    FakeHosts,
    FakeRepository,
    FakeStacks,
    World,
    container,
    stack,
    wanted,
)

HOOK = AutoUpdate(interval="5m", webhook="w-1")
MARKED = {"LEVEL": "new", OWNER: OURS}
BAD = [container(health="unhealthy")]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 0.005)


def of_git(repository: FakeRepository | None = None, **changes: Any) -> Wanted:
    """A stack of a ref of ours unless told otherwise."""
    return wanted(
        **{"source": SOURCE, "repository": repository or FakeRepository(), "commit": NEW, "update": HOOK, **changes}
    )


def runs_whatever_is_deployed(world: World, repository: FakeRepository) -> None:
    def deployed() -> None:
        assert world.stacks.found is not None
        world.stacks.found["GitConfig"] = {"ReferenceName": REF, "ConfigHash": repository.commit}

    world.stacks.on_deploy = deployed


def test_a_new_stack_of_text_is_looked_at_pulled_deployed_with_its_owner_and_watched() -> None:
    world = World()
    assert create(world.scene(), wanted()) == 7
    assert world.stacks.calls == [("create_inline", ("services: {web: {image: 'web:1'}}", MARKED))]
    assert ["\npull=yes\n" in program for program in world.hosts.programs] == [False, True]
    assert world.told == ["looking at its files on the host", "fetching its images", "web running"]


def test_a_new_stack_of_git_waits_for_the_commit_that_was_looked_at() -> None:
    world, repository = World(), FakeRepository()
    runs_whatever_is_deployed(world, repository)
    assert create(world.scene(), of_git(repository)) == 7
    assert world.stacks.calls == [("create_git", (REF, MARKED, HOOK))]
    assert repository.asked == [(REF, "")]


def test_a_new_stack_that_is_not_well_says_why() -> None:
    world = World()
    world.docker.looks = [BAD]
    world.docker.said = {"web-1": ["out of paper"]}
    with pytest.raises(RolloutFailed, match="service web: unhealthy; its last lines: out of paper"):
        create(world.scene(), wanted())


def test_files_below_a_folder_are_looked_at_alone() -> None:
    repository = FakeRepository(files={"web/compose.yaml": b"services: {}", "web/more.yaml": b"{}"})
    source = type(SOURCE)(url=SOURCE.url, ref=REF, path="web/compose.yaml", additional=("web/more.yaml",))
    world = World()
    goal = prepare(world.scene(), of_git(repository, source=source))
    assert repository.asked == [(REF, "web")]
    assert (goal.images, goal.commit) == ({"web": "web:1"}, NEW)
    assert "order=(web/compose.yaml web/more.yaml)" in world.hosts.programs[0]


def test_a_missing_file_is_named_with_those_that_are_there() -> None:
    source = type(SOURCE)(url=SOURCE.url, ref=REF, path="compose.yml")
    world = World()
    with pytest.raises(ComposeRefused, match=rf"path compose.yml: not in {REF}, which has compose.yaml; look at"):
        prepare(world.scene(), of_git(source=source))
    assert world.hosts.programs == []


def test_a_compose_file_that_is_no_text_is_refused_and_other_binaries_stay_here() -> None:
    with pytest.raises(ComposeRefused, match="no UTF-8 text"):
        prepare(World().scene(), of_git(FakeRepository(files={"compose.yaml": b"\xff\xfe"})))
    world = World()
    prepare(world.scene(), of_git(FakeRepository(files={"compose.yaml": b"services: {}", "logo.png": b"\x89PNG\xff"})))
    assert "logo.png" not in world.hosts.programs[0]


def test_a_binary_that_happens_to_be_utf8_stays_here_too() -> None:
    prepare(World().scene(), of_git(FakeRepository(files={"compose.yaml": b"services: {}", "empty.img": b"\0\0\0"})))


def test_a_ref_of_ours_that_somebody_pushed_to_is_refused() -> None:
    with pytest.raises(ComposeRefused, match=f"is at {OLD[:10]}, expected {NEW[:10]}; somebody pushed to it"):
        prepare(World().scene(), of_git(FakeRepository(commit=OLD)))


def test_what_speaks_against_it_is_told_at_once_and_nothing_is_touched() -> None:
    services = {"web": {"image": "web:1", "ports": [{"published": "80"}], "volumes": [{"type": "bind", "source": "/"}]}}
    world = World(hosts=FakeHosts(model={"services": services}, listeners=["tcp 0.0.0.0:80"]))
    with pytest.raises(ComposeRefused) as refused:
        create(world.scene(), wanted())
    assert "services.web.volumes: /, expected no path of the host" in str(refused.value)
    assert "; port 80/tcp: taken by another program on the host" in str(refused.value)
    assert world.stacks.calls == [] and len(world.hosts.programs) == 1


def test_images_that_cannot_be_had_stop_it_before_anything_is_deployed() -> None:
    world = World(hosts=FakeHosts(pull_fails="manifest unknown\n"))
    with pytest.raises(ComposeRefused, match="images: cannot be pulled: manifest unknown"):
        create(world.scene(), wanted())
    assert world.stacks.calls == []


@pytest.mark.parametrize("theirs", ["shop|running|", "shop|exited|"])
def test_a_compose_project_outside_of_portainer_is_refused_unless_adopted(theirs: str) -> None:
    world = World(hosts=FakeHosts(theirs=[theirs]))
    with pytest.raises(ComposeRefused, match="name shop: taken by a compose project outside of Portainer"):
        create(world.scene(), wanted())
    assert world.stacks.calls == []
    create(world.scene(), wanted(adopt=True))
    assert world.stacks.done == ["create_inline"]


MARKS = {"hypercompose.env": "dev", "hypercompose.stack": "shop"}


def test_containers_of_a_stack_that_the_server_forgot_are_ours_by_their_labels() -> None:
    world = World(hosts=FakeHosts(theirs=["shop|running|"]))
    world.docker.marks = [MARKS, {**MARKS, "other": "label"}]
    create(world.scene(), wanted())
    assert world.stacks.done == ["create_inline"]


@pytest.mark.parametrize("marks", [[], [{}], [MARKS, {}], [{**MARKS, "hypercompose.env": "prod"}]])
def test_containers_with_other_labels_are_somebody_elses(marks: list[dict[str, str]]) -> None:
    world = World(hosts=FakeHosts(theirs=["shop|running|"]))
    world.docker.marks = marks
    with pytest.raises(ComposeRefused, match="name shop: taken"):
        create(world.scene(), wanted())


def test_containers_without_labels_are_ours_where_the_state_says_that_we_deployed_them() -> None:
    world = World(hosts=FakeHosts(theirs=["shop|running|"]))
    create(world.scene(), wanted(deployed=True))
    assert world.stacks.done == ["create_inline"]


@pytest.mark.parametrize(
    ("owner", "told"), [("lab/prod/shop", "the stack of lab/prod/shop"), (None, "a stack that is not ours")]
)
def test_a_stack_of_somebody_else_is_refused_unless_adopted(owner: str | None, told: str) -> None:
    world = World(stacks=FakeStacks(stack(owner=owner, commit="")))
    with pytest.raises(NotOurs, match=f"the name shop is taken by {told}"):
        create(world.scene(), wanted())
    assert world.stacks.calls == [] and world.hosts.programs == []
    assert create(world.scene(), wanted(adopt=True)) == 7
    assert world.stacks.env()[OWNER] == OURS


def test_a_stack_that_an_interrupted_run_left_is_gone_on_with() -> None:
    world, repository = World(stacks=FakeStacks(stack())), FakeRepository()
    runs_whatever_is_deployed(world, repository)
    assert create(world.scene(), of_git(repository)) == 7
    assert world.stacks.done == ["set_git", "redeploy"]


@pytest.mark.parametrize(("env", "calls"), [({"LEVEL": "new"}, ["set_git", "knock"]), ({}, ["set_git", "redeploy"])])
def test_containers_of_an_adopted_stack_stay_where_its_environment_is_the_same(
    env: dict[str, str], calls: list[str]
) -> None:
    world, repository = World(stacks=FakeStacks(stack(owner=None, env=env))), FakeRepository()
    runs_whatever_is_deployed(world, repository)
    create(world.scene(), of_git(repository, commit="", adopt=True))
    assert world.stacks.done == calls


def test_nobody_there_is_nothing_existing() -> None:
    assert existing(World().scene(), wanted()) is None


def test_a_new_commit_is_rolled_out_by_the_webhook_and_the_same_one_by_deploying_anew() -> None:
    for redeploy, calls in ((False, ["set_git", "knock"]), (True, ["set_git", "redeploy"])):
        world, repository = World(stacks=FakeStacks(stack())), FakeRepository()
        runs_whatever_is_deployed(world, repository)
        change(world.scene(), of_git(repository), stack(), redeploy=redeploy)
        assert world.stacks.done == calls


def test_without_a_webhook_it_is_deployed_anew() -> None:
    world, repository = World(stacks=FakeStacks(stack())), FakeRepository()
    runs_whatever_is_deployed(world, repository)
    change(world.scene(), of_git(repository, update=AutoUpdate(interval="", webhook="")), stack(), redeploy=False)
    assert world.stacks.done == ["set_git", "redeploy"]


def test_a_commit_that_heals_a_sick_stack_is_waited_for_though_its_images_are_the_same() -> None:
    world, repository = World(stacks=FakeStacks(stack())), FakeRepository()
    world.docker.looks = [BAD]

    def later(project: str) -> list[Container]:
        world.docker.looked += 1
        if world.docker.looked > 4:  # a webhook is answered before anything is deployed
            world.stacks.found = stack(commit=NEW)
            return [container(id="web-2")]
        return BAD

    world.docker.containers = later  # type: ignore[method-assign]
    change(world.scene(), of_git(repository), stack(), redeploy=False)


class Failing(World):
    """Its containers are unhealthy until what ran before is deployed again."""

    def __init__(self, before: dict[str, Any], repository: FakeRepository) -> None:
        super().__init__(stacks=FakeStacks(before, content="services: {old: {}}"))
        self.docker.said = {"web-1": ["out of paper"]}
        self._repository, self._deployed = repository, 0
        self.stacks.on_deploy = self._deploy

    def _deploy(self) -> None:
        self._deployed += 1
        self.docker.looks = [BAD if self._deployed == 1 else [container()]]
        assert self.stacks.found is not None
        if self.stacks.found["GitConfig"]:
            self.stacks.found["GitConfig"] = {"ReferenceName": REF, "ConfigHash": self._repository.commit}


def test_a_failing_update_of_a_ref_of_ours_moves_it_back_restores_the_environment_and_deploys_again() -> None:
    repository = FakeRepository()
    before = stack(env={"LEVEL": "old $1"})
    world = Failing(before, repository)
    with pytest.raises(RolloutFailed) as failed:
        change(world.scene(), of_git(repository), before, redeploy=True)
    assert str(failed.value) == (
        f"service web: unhealthy; its last lines: out of paper. The version before ({OLD[:10]}) runs again"
    )
    assert repository.moved == [(REF, OLD)]
    old = {"LEVEL": "old $1", OWNER: OURS}
    assert world.stacks.calls[2:] == [("set_git", (REF, old, HOOK)), ("redeploy", (REF, old))]
    assert "it failed; bringing back what ran before" in world.told


def test_trying_again_after_it_came_back_is_not_refused_as_a_push_of_somebody() -> None:
    repository = FakeRepository()
    world = Failing(stack(), repository)
    with pytest.raises(RolloutFailed, match="runs again"):
        change(world.scene(), of_git(repository), stack(), redeploy=True)
    change(world.scene(), of_git(repository), stack(), redeploy=True)


def test_after_a_failing_knock_it_comes_back_too() -> None:
    repository = FakeRepository()
    world = Failing(stack(), repository)
    with pytest.raises(RolloutFailed, match="runs again"):
        change(world.scene(), of_git(repository), stack(), redeploy=False)
    assert world.stacks.done == ["set_git", "knock", "set_git", "redeploy"]


def test_a_ref_that_is_not_ours_cannot_be_moved_back_and_that_is_said() -> None:
    repository = FakeRepository()
    world = Failing(stack(), repository)
    with pytest.raises(RolloutFailed, match="The ref is not ours, so the version before can only come back by a new"):
        change(world.scene(), of_git(repository, commit=""), stack(), redeploy=True)
    assert repository.moved == [] and world.stacks.done == ["set_git", "redeploy"]


def test_a_failing_text_is_replaced_by_the_old_text_with_the_old_environment() -> None:
    before = stack(commit="", env={"LEVEL": "old"})
    world = Failing(before, FakeRepository())
    with pytest.raises(RolloutFailed, match="The version before runs again"):
        change(world.scene(), wanted(), before, redeploy=False)
    assert world.stacks.calls[1] == ("put_inline", ("services: {old: {}}", {"LEVEL": "old", OWNER: OURS}))


def test_a_version_before_that_does_not_come_back_is_told_too() -> None:
    before, world = stack(commit=""), World(stacks=FakeStacks(stack(commit="")))

    def deploy() -> None:
        raise PortainerError(500, "no space left", "PUT /stacks/7")

    world.stacks.on_deploy = deploy
    with pytest.raises(RolloutFailed) as failed:
        change(world.scene(), wanted(), before, redeploy=False)
    text = str(failed.value)
    assert text.startswith("compose said: no space left. The version before could not be brought back either: ")


@pytest.mark.parametrize(
    "after",
    [
        BAD,
        [],
        [container(health="starting")],
        [container(state="created")],
    ],
)
def test_a_version_before_that_is_not_well_is_not_said_to_run(after: list[Container]) -> None:
    before, world = stack(commit=""), World(stacks=FakeStacks(stack(commit="")))
    deployed = [BAD, after]
    world.stacks.on_deploy = lambda: setattr(world.docker, "looks", [deployed.pop(0)])
    with pytest.raises(RolloutFailed) as failed:
        change(world.scene(), wanted(), before, redeploy=False)
    assert "runs again" not in str(failed.value)


def test_what_is_refused_before_touches_nothing_and_brings_nothing_back() -> None:
    world = World(stacks=FakeStacks(stack(commit="")), hosts=FakeHosts(look_fails="yaml: line 2: bad\n"))
    with pytest.raises(ProvisioningError, match="compose files: yaml: line 2: bad"):
        change(world.scene(), wanted(), stack(commit=""), redeploy=True)
    assert world.stacks.calls == []


def test_secrets_are_hidden_in_what_failed() -> None:
    world = World()
    world.docker.looks = [BAD]
    world.docker.said = {"web-1": ["bad password hunter2"]}
    with pytest.raises(RolloutFailed) as failed:
        create(world.scene(), wanted(secrets=("hunter2",)))
    assert str(failed.value).endswith("bad password ***")


def test_an_environment_is_not_shown() -> None:
    assert "hunter2" not in repr(wanted(env={"PASSWORD": "hunter2"}, secrets=("hunter2",)))
