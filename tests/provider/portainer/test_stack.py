"""The stack as a resource: what deploys it, what keeps it half made, what shows as drift."""

from __future__ import annotations

from typing import Any

import pytest

from provider.resource import HalfMade
from provider.resources import TYPES
from provider.resources.portainer.stack import STORED, WAYS, Stack
from provisioning.errors import ProvisioningError
from provisioning.git import GitError
from provisioning.portainer.api import PortainerError, PortainerUnreachable
from provisioning.portainer.env_values import to_pairs
from provisioning.portainer.stacks import AutoUpdate
from provisioning.portainer.wanted import OWNER
from tests.provider.portainer.serving import GIT, INLINE, PLACE, SERVER, TEXT, URN, Served
from tests.provisioning.portainer.world import NEW, OLD, OURS, REF, container, stack

OUTPUTS = {"stackId": 7, "webhook": "", "running": {"web": "web:1"}, "runningCommit": ""}
BAD = [container(health="unhealthy")]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    return Served(monkeypatch)


def inline(**changes: Any) -> dict[str, Any]:
    """As the server tells of INLINE."""
    return {**stack(commit="", env={"LEVEL": "info"}), **changes}


def of_git(**changes: Any) -> dict[str, Any]:
    return {**stack(env={"LEVEL": "info"}), **changes}


def test_a_created_stack_tells_its_id_images_and_commit_under_the_lock_of_its_host(served: Served) -> None:
    identity, outputs = Stack().create(served.context, INLINE)
    assert identity == "https://10.0.0.9:9443/stacks/shop"
    assert outputs == OUTPUTS
    assert served.hosts.held == ["stack-shop"] and not served.hosts.holds


def test_every_stack_of_git_gets_a_webhook_of_its_own_and_keeps_it(served: Served) -> None:
    served.world.stacks.on_deploy = lambda: served.world.stacks.found.update(  # type: ignore[union-attr]
        GitConfig={"ReferenceName": REF, "ConfigHash": NEW}
    )
    _, outputs = Stack().create(served.context, GIT)
    assert len(outputs["webhook"]) == 36 and "webhook" in Stack.secrets
    assert served.world.stacks.calls[0][1][2].webhook == outputs["webhook"]
    later = Stack().update(served.context, {**GIT, **outputs}, {**GIT, "env": {"LEVEL": "debug"}})
    assert later["webhook"] == outputs["webhook"]


def test_a_stack_that_is_there_and_not_well_is_kept_half_made(served: Served) -> None:
    served.world.docker.looks = [BAD]
    with pytest.raises(HalfMade, match=r"stack shop on 10\.0\.0\.9: service web: unhealthy") as failed:
        Stack().create(served.context, INLINE)
    assert failed.value.identity == "https://10.0.0.9:9443/stacks/shop"


def test_a_stack_that_never_came_to_be_leaves_nothing_in_the_state(served: Served) -> None:
    def deploy() -> None:
        served.world.stacks.found = None
        raise PortainerError(500, "no such image", "POST /stacks")

    served.world.stacks.on_deploy = deploy
    with pytest.raises(ProvisioningError, match=r"stack shop on 10\.0\.0\.9: compose said: no such image") as failed:
        Stack().create(served.context, INLINE)
    assert not isinstance(failed.value, HalfMade)


def test_what_is_refused_before_leaves_nothing_in_the_state(served: Served) -> None:
    served.hosts.look_fails = "bad yaml"
    with pytest.raises(ProvisioningError, match=r"stack shop on 10\.0\.0\.9: compose files: bad yaml") as failed:
        Stack().create(served.context, INLINE)
    assert not isinstance(failed.value, HalfMade)
    assert served.world.stacks.calls == []


@pytest.mark.parametrize(
    "changes",
    [
        {"server": {**SERVER, "apiKey": "ptr_2"}},
        {"timeoutS": 300},
        {"keepVolumes": False},
        {"connection": {**PLACE, "user": "other"}},
        {"allowedPaths": ["/srv"], "hide": ["x"], "adopt": True, "ca": "ca.pem"},
    ],
)
def test_nothing_is_deployed_when_only_the_way_changes(served: Served, changes: dict[str, Any]) -> None:
    served.world.stacks.found = inline()
    outputs = Stack().update(served.context, {**INLINE, **OUTPUTS}, {**INLINE, **changes})
    assert outputs == OUTPUTS
    assert served.world.stacks.calls == [] and served.hosts.programs == []


def runs_new(served: Served) -> None:
    served.world.stacks.found = of_git()
    served.world.stacks.on_deploy = lambda: served.world.stacks.found.update(  # type: ignore[union-attr]
        GitConfig={"ReferenceName": REF, "ConfigHash": NEW}
    )


@pytest.mark.parametrize(
    ("olds", "calls"),
    [
        ({"env": {"LEVEL": "debug"}}, ["set_git", "knock"]),
        ({"state": "web is unhealthy"}, ["set_git", "redeploy"]),
        ({"commit": OLD}, ["set_git", "knock"]),
        ({"interval": "1m"}, ["set_git"]),
        ({"password": "old", "user": "old"}, ["set_git"]),
        ({"password": "old", "commit": OLD}, ["set_git", "knock"]),
        ({"commit": OLD, "env": {}}, ["set_git", "knock"]),
    ],
)
def test_no_more_is_done_than_a_change_needs(served: Served, olds: dict[str, Any], calls: list[str]) -> None:
    runs_new(served)
    news = {**GIT, "commit": NEW}
    Stack().update(served.context, {**news, **olds, **OUTPUTS, "webhook": "w-1"}, news)
    assert served.world.stacks.done == calls


def test_what_was_half_made_is_deployed_again_though_nothing_differs(served: Served) -> None:
    runs_new(served)
    news = {**GIT, "commit": NEW}
    Stack().update(served.context, news, news)
    assert served.world.stacks.done == ["set_git", "redeploy"]


def test_a_stopped_stack_is_started_by_one_deployment_of_all_that_changed_meanwhile(served: Served) -> None:
    served.world.stacks.found = inline(Status=2)
    Stack().update(served.context, {**INLINE, **OUTPUTS, "run": "stopped"}, INLINE)
    assert served.world.stacks.done == ["put_inline"]
    runs_new(served)
    served.world.stacks.found["Status"] = 2
    news = {**GIT, "commit": NEW, "password": "new"}
    Stack().update(served.context, {**GIT, **OUTPUTS, "commit": NEW, "run": "stopped", "webhook": "w-1"}, news)
    assert served.world.stacks.done == ["put_inline", "set_git", "redeploy"]


def test_stopping_lets_no_push_start_it_and_is_no_error_twice(served: Served) -> None:
    served.world.stacks.found = of_git()
    news = {**GIT, "run": "stopped"}
    outputs = Stack().update(served.context, {**GIT, **OUTPUTS, "webhook": "w-1"}, news)
    assert served.world.stacks.done == ["set_git", "stop"]
    assert served.world.stacks.calls[0][1][2] == AutoUpdate(interval="", webhook="")
    assert outputs["webhook"] == "w-1"
    changed = {**news, "env": {"LEVEL": "debug"}}
    Stack().update(served.context, {**news, **outputs}, changed)
    assert served.world.stacks.done == ["set_git", "stop", "set_git"]
    assert served.world.stacks.env()["LEVEL"] == "debug"


def test_of_a_stopped_text_nothing_is_deployed(served: Served) -> None:
    served.world.stacks.found = inline(Status=2)
    news = {**INLINE, "run": "stopped", "env": {"LEVEL": "debug"}}
    Stack().update(served.context, {**INLINE, **OUTPUTS, "run": "stopped"}, news)
    assert served.world.stacks.calls == []


def test_a_new_stack_that_is_to_be_stopped_is_seen_to_work_first(served: Served) -> None:
    Stack().create(served.context, {**INLINE, "run": "stopped"})
    assert served.world.stacks.done == ["create_inline", "stop"]


def test_what_fails_to_start_is_stopped_again(served: Served) -> None:
    served.world.stacks.found, served.world.docker.looks = inline(Status=2), [BAD]
    with pytest.raises(ProvisioningError, match=r"service web: unhealthy.*It is stopped again"):
        Stack().update(served.context, {**INLINE, **OUTPUTS, "run": "stopped"}, INLINE)
    assert served.world.stacks.done == ["put_inline"]


def test_a_stack_of_a_state_without_the_word_counts_as_started(served: Served) -> None:
    served.world.stacks.found = inline()
    olds = {name: value for name, value in {**INLINE, **OUTPUTS}.items() if name != "run"}
    Stack().update(served.context, olds, INLINE)
    assert served.world.stacks.calls == []


def test_an_environment_alone_makes_every_container_again_only_where_the_ref_is_not_ours(served: Served) -> None:
    runs_new(served)
    Stack().update(served.context, {**GIT, **OUTPUTS, "webhook": "w-1"}, {**GIT, "env": {}})
    assert served.world.stacks.done == ["set_git", "redeploy"]


def test_credentials_that_do_not_work_never_reach_the_server(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(ref: str) -> str:
        raise GitError("https://git.lab/a.git: refuses the login of ops")

    served.world.stacks.found = of_git()
    monkeypatch.setattr(served.repository, "head", refuse)
    with pytest.raises(ProvisioningError, match="refuses the login"):
        Stack().update(served.context, {**GIT, **OUTPUTS, "webhook": "w-1"}, {**GIT, "password": "wrong"})
    assert served.world.stacks.calls == []


def test_another_generation_is_another_webhook_and_deploys_nothing(served: Served) -> None:
    served.world.stacks.found = of_git()
    olds = {**GIT, **OUTPUTS, "webhook": "w-1", "webhookGeneration": 1}
    outputs = Stack().update(served.context, olds, {**GIT, "webhookGeneration": 2})
    assert len(outputs["webhook"]) == 36
    assert served.world.stacks.done == ["set_git"]
    assert served.world.stacks.calls[0][1][2].webhook == outputs["webhook"]


def test_an_import_is_refused_with_the_way_that_works(served: Served) -> None:
    with pytest.raises(ProvisioningError, match=r"not imported.*`adopt: true`"):
        Stack().read(served.context, URN, "shop", {})


@pytest.mark.parametrize(
    ("config", "was"),
    [
        (None, "a text"),
        ({"URL": "https://git.lab/b.git", "ConfigFilePath": "x.yaml"}, r"git \(https://git.lab/b.git, x.yaml\)"),
    ],
)
def test_what_portainer_cannot_turn_into_ours_is_not_adopted(
    served: Served, config: dict[str, Any] | None, was: str
) -> None:
    served.world.stacks.found = of_git(GitConfig=config)
    with pytest.raises(ProvisioningError, match=f"is deployed from {was}, which Portainer cannot change"):
        Stack().create(served.context, {**GIT, "adopt": True})
    assert served.world.stacks.calls == []


def test_a_stack_that_is_gone_is_made_anew_by_an_update(served: Served) -> None:
    outputs = Stack().update(served.context, {**INLINE, **OUTPUTS}, {**INLINE, "env": {}})
    assert served.world.stacks.done == ["create_inline"]
    assert outputs["stackId"] == 7


def test_a_failed_update_says_which_stack_and_what_came_back(served: Served) -> None:
    served.world.stacks.found = inline()
    deployed = list[list[Any]]([BAD, [container()]])
    served.world.stacks.on_deploy = lambda: setattr(served.world.docker, "looks", [deployed.pop(0)])
    with pytest.raises(ProvisioningError, match=r"stack shop on 10\.0\.0\.9: service web: unhealthy.*runs again"):
        Stack().update(served.context, {**INLINE, **OUTPUTS}, {**INLINE, "env": {}})
    assert served.world.stacks.env()["LEVEL"] == "info"


def test_deleting_removes_our_stack_and_keeps_its_volumes_unless_told(served: Served) -> None:
    for keep, removed in ((True, []), (False, ["shop_data"])):
        served.world.stacks.found, served.world.docker.kept = inline(), ["shop_data"]
        Stack().delete(served.context, "id", {**INLINE, **OUTPUTS, "keepVolumes": keep})
        assert served.world.stacks.found is None
        assert served.world.docker.removed == removed
    assert "delete" in served.world.stacks.done and served.hosts.held == ["stack-shop", "stack-shop"]


def test_containers_that_a_deployment_on_its_way_makes_again_are_removed_too(served: Served) -> None:
    served.world.stacks.found, served.world.docker.comes_back = inline(), [False, True, True, False]
    Stack().delete(served.context, "id", {**INLINE, **OUTPUTS})
    assert served.world.docker.comes_back == []


def test_a_volume_that_others_use_stays_with_a_warning(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def used(name: str) -> None:
        raise PortainerError(409, f"volume is in use - [{name}]", "DELETE /volumes")

    served.world.stacks.found, served.world.docker.kept = inline(), ["shop_data"]
    monkeypatch.setattr(served.world.docker, "remove_volume", used)
    Stack().delete(served.context, "id", {**INLINE, **OUTPUTS, "keepVolumes": False})
    assert served.warned == ["volume shop_data: stays, as containers of others use it"]


def test_deleting_leaves_a_stack_of_others_and_one_that_is_gone_alone(served: Served) -> None:
    for found in (stack(owner="lab/prod/shop"), stack(owner=None), None):
        served.world.stacks.found = found
        Stack().delete(served.context, "id", {**INLINE, **OUTPUTS, "keepVolumes": False})
    assert served.world.stacks.calls == [] and served.world.docker.removed == []


def read(served: Served, state: dict[str, Any]) -> dict[str, Any]:
    now = Stack().read(served.context, URN, "id", state)
    assert now is not None
    return {name: value for name, value in now.items() if value != state.get(name)}


def test_a_stack_as_it_was_shows_no_drift(served: Served) -> None:
    served.world.stacks.found, served.world.stacks.content = inline(), TEXT
    assert read(served, {**INLINE, **OUTPUTS}) == {}
    served.world.stacks.found = of_git()
    state = {**GIT, **OUTPUTS, "commit": OLD, "runningCommit": OLD}
    assert read(served, state) == {}


@pytest.mark.parametrize(
    ("changes", "drift"),
    [
        ({"Env": to_pairs({"LEVEL": "debug", "MORE": "x y", OWNER: OURS})}, {"env": {"LEVEL": "debug", "MORE": "x y"}}),
        ({"Env": to_pairs({OWNER: OURS})}, {"env": {}}),
        ({"Status": 2}, {"run": "stopped"}),
        ({"Status": 2, "AutoUpdate": None}, {"run": "stopped"}),
        (
            {"GitConfig": {"ReferenceName": "refs/heads/other", "ConfigHash": NEW}},
            {"ref": "refs/heads/other", "commit": NEW, "runningCommit": NEW},
        ),
        ({"AutoUpdate": None}, {"interval": ""}),
        ({"AutoUpdate": {"Interval": "1h", "Webhook": "w-1"}}, {"interval": "1h"}),
    ],
)
def test_what_others_changed_in_the_stack_is_drift(
    served: Served, changes: dict[str, Any], drift: dict[str, Any]
) -> None:
    served.world.stacks.found = of_git(**changes)
    assert read(served, {**GIT, **OUTPUTS, "commit": OLD, "runningCommit": OLD}) == drift


def test_of_a_stack_that_is_to_be_stopped_only_what_portainer_stores_can_drift(served: Served) -> None:
    served.world.stacks.found, served.world.docker.looks = of_git(Status=2, AutoUpdate=None), [[]]
    state = {**GIT, **OUTPUTS, "commit": NEW, "runningCommit": OLD, "run": "stopped"}
    assert read(served, state) == {}
    served.world.stacks.found = of_git(Status=2, Env=to_pairs({OWNER: OURS}))
    assert read(served, state) == {"env": {}}
    served.world.stacks.found = inline(Status=2)
    served.world.stacks.content = "services: {before: {}}"
    assert read(served, {**INLINE, **OUTPUTS, "run": "stopped", "env": {"LEVEL": "new"}}) == {}


def test_a_stopped_stack_that_somebody_started_is_drift(served: Served) -> None:
    served.world.stacks.found, served.world.stacks.content = inline(), TEXT
    assert read(served, {**INLINE, **OUTPUTS, "run": "stopped"}) == {"run": "started"}


def test_a_followed_ref_has_no_commit_that_could_drift(served: Served) -> None:
    served.world.stacks.found = of_git()
    assert read(served, {**GIT, **OUTPUTS}) == {"runningCommit": OLD}


def test_another_text_is_drift(served: Served) -> None:
    served.world.stacks.found, served.world.stacks.content = inline(), "services: {x: {}}"
    assert read(served, {**INLINE, **OUTPUTS}) == {"inline": "services: {x: {}}"}


@pytest.mark.parametrize(
    ("containers", "drift"),
    [
        ([], {"state": "web has no container"}),
        ([container(state="exited", exit_code=1)], {"state": "web is exited (1)"}),
        (BAD, {"state": "web is unhealthy"}),
        ([container(health="starting")], {}),
        ([container(image="web:2")], {"state": "web runs web:2 (wanted web:1)"}),
        ([container(image="web:2", health="unhealthy")], {"state": "web is unhealthy"}),
        (
            [container(), container("job", state="exited", restart_policy="no")],
            {"running": {"web": "web:1", "job": "job:1"}},
        ),
    ],
)
def test_containers_that_are_not_well_are_drift(served: Served, containers: list[Any], drift: dict[str, Any]) -> None:
    served.world.stacks.found, served.world.stacks.content = inline(), TEXT
    served.world.docker.looks = [containers]
    assert read(served, {**INLINE, **OUTPUTS}) == drift


@pytest.mark.parametrize("containers", [[], [container(image="web:2")]])
def test_what_is_not_as_deployed_is_still_drift_after_a_refresh(served: Served, containers: list[Any]) -> None:
    served.world.stacks.found, served.world.stacks.content = inline(), TEXT
    served.world.docker.looks = [containers, containers]
    once = Stack().read(served.context, URN, "id", {**INLINE, **OUTPUTS, "state": "as wanted"})
    assert once is not None and once["state"] != "as wanted"
    assert Stack().read(served.context, URN, "id", once) == once


def test_another_commit_brings_its_own_images(served: Served) -> None:
    served.world.stacks.found = of_git()
    served.world.docker.looks = [[container(image="web:2")]]
    assert read(served, {**GIT, **OUTPUTS}) == {"runningCommit": OLD, "running": {"web": "web:2"}}


def test_inputs_that_nobody_gave_do_not_appear(served: Served) -> None:
    served.world.stacks.found, served.world.stacks.content = inline(), TEXT
    few = {name: value for name, value in INLINE.items() if name != "env"}
    assert read(served, {**few, **OUTPUTS}) == {}


@pytest.mark.parametrize("found", [None, stack(owner="lab/prod/shop"), stack(owner=None)])
def test_no_such_stack_of_ours_is_none(served: Served, found: dict[str, Any] | None) -> None:
    served.world.stacks.found = found
    assert Stack().read(served.context, URN, "id", {**INLINE, **OUTPUTS}) is None


def test_a_server_that_is_away_is_a_warning_and_the_old_state(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(identity: int) -> None:
        raise PortainerUnreachable("https://10.0.0.9:9443: no answer (ConnectTimeout)")

    monkeypatch.setattr(served.world.stacks, "get", away)
    state = {**INLINE, **OUTPUTS}
    assert Stack().read(served.context, URN, "id", state) == state
    assert served.warned == ["not read, so nothing is known of it: https://10.0.0.9:9443: no answer (ConnectTimeout)"]


def test_what_is_another_stack_is_replaced_and_the_old_one_goes_first() -> None:
    assert {"vm", "name", "environmentId", "url", "path"} <= Stack.replace_on
    assert Stack.delete_before_replace
    assert not (WAYS | STORED) & Stack.replace_on
    assert isinstance(TYPES["hypercompose:portainer:Stack"], Stack)


def test_a_stack_that_a_server_without_its_data_does_not_know_is_created_over_its_containers(served: Served) -> None:
    served.hosts.theirs = ["shop|running|"]
    served.world.stacks.found = None
    news = {**INLINE, "server": {**SERVER, "apiKey": "ptr_2", "data": "volume-2"}}
    assert Stack().update(served.context, {**INLINE, **OUTPUTS}, news)["stackId"] == 7
    assert served.world.stacks.done == ["create_inline"]


def test_containers_of_a_stack_of_another_owner_are_not_taken_over_by_an_update(served: Served) -> None:
    served.hosts.theirs = ["shop|running|"]
    served.world.stacks.found = None
    with pytest.raises(ProvisioningError, match="taken by a compose project outside of Portainer"):
        Stack().update(served.context, {**INLINE, **OUTPUTS, "owner": "lab/prod/shop"}, INLINE)


def test_another_number_of_the_same_environment_at_a_server_with_new_data_is_no_replacement() -> None:
    olds, news = {**INLINE, "server": {**SERVER, "data": "1"}}, {**INLINE, "server": {**SERVER, "data": "2"}}
    assert "environmentId" not in Stack().replaces(olds, news)
    assert "environmentId" in Stack().replaces(olds, olds)
    elsewhere = {**news, "server": {**news["server"], "url": "https://10.0.0.10:9443"}}
    assert "environmentId" in Stack().replaces(olds, elsewhere)


def test_a_number_that_a_new_server_has_given_to_another_stack_is_not_ours(served: Served) -> None:
    served.world.stacks.found = {**inline(), "Name": "other"}
    assert Stack().read(served.context, URN, "id", {**INLINE, **OUTPUTS}) is None
