"""One stack from commit to commit: forward, refused, back, by hand. Real releases in a world of plain objects."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from provisioning.compose.containers import Container
from provisioning.errors import ProvisioningError
from provisioning.gate import deployment
from provisioning.gate import rollout as module
from provisioning.gate.engine import EngineError
from provisioning.gate.mirror import Mirror
from provisioning.gate.state import State, Store
from tests.provisioning.gate.world import LONG_AGO, World, compose, container, digest

GOOD, LATER = "1", "2"


def body(world: World) -> str:
    """What Portainer reads now, without its first line."""
    return world.mirror.text(world.mirror.head()).partition("\n")[2]


def subject(world: World) -> str:
    return world.mirror._git("log", "-1", "--format=%s", world.mirror.head())


def test_the_first_commit_is_released_and_good_when_its_containers_are_well(world: World) -> None:
    commit = world.source.push(compose(GOOD))
    state = world.turn("poll")
    assert state.good and (state.good.commit, state.good.by) == (commit, "poll")
    assert (state.asked, state.trying, state.refused, state.before) == (commit, None, None, None)
    assert state.good.release == world.mirror.head() and state.since
    assert world.results() == ["running"] and world.running == {"r/web:1"}
    assert state == world.state


def test_nothing_new_is_nothing_to_do(world: World) -> None:
    world.release(GOOD)
    before, knocks, head = world.state, world.knocks, world.mirror.head()
    assert world.turn() == before
    assert (world.knocks, world.mirror.head(), world.results()) == (knocks, head, ["running"])


def test_the_next_commit_takes_the_place_of_the_one_before(world: World) -> None:
    first, second = world.release(GOOD), world.release(LATER)
    state = world.state
    assert state.good and state.before and (state.good.commit, state.before.commit) == (second, first)
    assert world.running == {"r/web:2"}


def test_a_first_release_waits_for_a_portainer_that_has_no_such_stack_yet(world: World) -> None:
    world.deaf = "Portainer has no such stack yet"
    world.source.push(compose(GOOD))
    state = world.turn()
    assert state.trying and not state.trying.back and world.mirror.head() == state.trying.version.release
    assert world.results() == [] and state.refused is None
    world.deploy(world.mirror.text(world.mirror.head()))
    assert (later := world.turn()).good and later.trying is None
    assert world.results() == ["running"]


REFUSED = ["services: [", "services: {}", "services: {web: {build: .}}", "services: {a: {image: 'r/missing:1'}}"]


@pytest.mark.parametrize("text", REFUSED)
def test_a_commit_that_is_refused_never_reaches_portainer(world: World, text: str) -> None:
    world.release(GOOD)
    world.missing = {"r/missing:1"}
    head, knocks = world.mirror.head(), world.knocks
    commit = world.source.push(text)
    state = world.turn()
    assert state.refused and state.refused.commit == commit == state.asked and not state.refused.ran
    assert (world.mirror.head(), world.knocks, state.trying) == (head, knocks, None)
    assert world.running == {"r/web:1"} and world.results() == ["running", "refused"]


def test_what_was_refused_for_good_is_not_looked_at_again_until_somebody_insists(world: World) -> None:
    looks: list[str] = []
    world.source.on_fetch = lambda: looks.append("")
    world.source.push("services: [")
    for _ in range(3):
        world.turn()
    assert len(looks) == 1 and world.results() == ["refused"]
    state = world.turn("hand", forced=True)
    assert len(looks) == 2 and state.refused and state.refused.tries == 2
    assert world.results() == ["refused"]  # told once


def test_what_may_go_by_itself_is_tried_again_only_when_it_is_time(world: World) -> None:
    world.release(GOOD)
    world.missing = {"r/web:2"}
    commit = world.source.push(compose(LATER))
    assert (refused := world.turn().refused) and refused.again and refused.tries == 1
    assert (refused := world.turn(retry=False).refused) and refused.tries == 1
    assert (refused := world.turn().refused) and refused.tries == 2
    world.missing = set()
    state = world.turn()
    assert state.good and state.good.commit == commit and state.refused is None
    assert world.results() == ["running", "refused", "running"]


def test_the_next_good_commit_is_deployed_after_a_refused_one(world: World) -> None:
    world.source.push("services: [")
    world.turn()
    commit = world.release(GOOD)
    assert world.state.good and world.state.good.commit == commit and world.state.refused is None


def test_a_commit_back_at_what_runs_is_nothing_to_deploy(world: World) -> None:
    good = world.release(GOOD)
    world.source.push("services: [")
    world.turn()
    world.source.at = good
    head = world.mirror.head()
    state = world.turn()
    assert state.asked == good and world.mirror.head() == head and world.running == {"r/web:1"}


def test_a_release_that_crashes_goes_back_by_a_new_commit_with_the_old_file(world: World) -> None:
    first = world.release(GOOD)
    before, text = world.mirror.head(), body(world)
    bad = world.release("bad")
    state = world.state
    assert state.good and state.good.commit == first and state.trying is None
    assert state.refused and (state.refused.commit, state.refused.ran, state.refused.again) == (bad, True, False)
    assert state.refused.reason.startswith("service web: exited (1)")
    assert world.mirror.head() not in (before, "") and body(world) == text
    assert subject(world) == f"Back to {first}: {bad} failed"
    assert world.results() == ["running", "failed", "back"] and world.running == {"r/web:1"}


def test_a_failed_commit_is_not_deployed_again_by_itself_and_the_next_good_one_is(world: World) -> None:
    world.release(GOOD)
    world.release("bad")
    head = world.mirror.head()
    world.turn()
    assert world.mirror.head() == head and world.results().count("failed") == 1
    later = world.release(LATER)
    assert world.state.good and world.state.good.commit == later and world.state.refused is None


def test_the_one_before_stays_the_one_before_when_a_release_failed(world: World) -> None:
    first, second = world.release(GOOD), world.release(LATER)
    world.release("bad")
    state = world.state
    assert state.good and state.before and (state.good.commit, state.before.commit) == (second, first)


def test_a_first_release_that_crashes_has_nothing_to_go_back_to(world: World) -> None:
    world.release("bad")
    state = world.state
    assert (state.good, state.trying) == (None, None) and state.refused and state.refused.ran
    assert world.results() == ["failed"]


def test_a_release_that_does_not_become_healthy_in_time_goes_back_and_says_what_lacked(world: World) -> None:
    world.release(GOOD)
    world.works(timeout_s=0.05)
    world.source.push(compose("slow"))
    state = world.turn()
    assert state.refused and "not done within 0.05 s; service web is starting" in state.refused.reason
    assert not state.refused.again and state.good


def test_what_portainer_took_down_again_failed(world: World) -> None:
    world.release(GOOD)
    world.source.push(compose(LATER))
    world.on_knock = lambda: world.engine.found.clear()
    world.deaf = " "
    works = world.works()
    state = works.turn("poll")
    assert state.refused and "its containers were removed again" in state.refused.reason
    assert world.by_itself == ["shop"]


def test_compose_is_run_here_where_portainer_does_not_bring_the_version_before_back(world: World) -> None:
    first = world.release(GOOD)
    commit = world.source.push(compose("bad"))

    def deaf_from_now_on() -> None:
        world.deploy(world.mirror.text(world.mirror.head()))
        world.deaf = "Portainer does not answer"

    world.on_knock = deaf_from_now_on if not world.deaf else lambda: None
    original = world.on_knock

    def once() -> None:
        world.on_knock = lambda: None
        original()

    world.on_knock = once
    state = world.turn()
    assert state.good and state.good.commit == first and world.running == {"r/web:1"}
    assert world.by_itself == ["shop"]
    assert [(event["result"], event.get("alone")) for event in world.store.history()][-1] == ("back", True)
    assert state.refused and state.refused.commit == commit


def test_a_portainer_that_is_away_is_tried_again_later_and_said_so(world: World) -> None:
    world.release(GOOD)
    world.deaf = "Portainer does not answer at https://10.0.0.9:9443 (OSError)"
    world.works(timeout_s=0.02)
    commit = world.source.push(compose(LATER))
    state = world.turn()
    assert state.refused and state.refused.again and world.deaf in state.refused.reason
    assert (later := world.turn().refused) and (state.refused.tries, later.tries) == (1, 2)
    world.deaf = ""
    world.works(timeout_s=1)
    state = world.turn()
    assert state.good and state.good.commit == commit


def test_a_return_that_takes_too_long_goes_on_with_the_next_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.release(GOOD)
    knocked: list[str] = []

    def slowly() -> None:
        knocked.append(world.mirror.head())
        world.deaf = "" if len(knocked) == 1 else "deaf"

    world.on_knock = slowly

    def refuses(project: str, text: str, timeout_s: float) -> None:
        raise EngineError("compose: no such network")

    monkeypatch.setattr(deployment, "up", refuses)
    world.works(timeout_s=0.1)
    world.release("bad")
    state = world.state
    assert state.trying and state.trying.back and state.refused
    assert "compose: no such network" in world.told
    world.on_knock, world.deaf = lambda: None, ""
    state = world.turn()
    assert state.trying is None and state.good and state.good.commit == first and world.running == {"r/web:1"}


class Crash(BaseException):
    """Whatever ends the process."""


def _crash(*arguments: object, **more: object) -> None:
    raise Crash


CRASHING_CLOCK = SimpleNamespace(monotonic=time.monotonic, sleep=_crash)


CRASHES: dict[str, Callable[[World, pytest.MonkeyPatch], None]] = {
    "before the ref moves": lambda world, patch: patch.setattr(Mirror, "publish", _crash),
    "before portainer is told": lambda world, patch: setattr(world, "on_knock", _crash),
    "while containers start": lambda world, patch: patch.setattr(deployment, "time", CRASHING_CLOCK),
    "before orphans are removed": lambda world, patch: patch.setattr(deployment, "remove", _crash),
    "before the end is noted": lambda world, patch: patch.setattr(Store, "record", _crash),
}


@pytest.mark.parametrize("when", CRASHES)
def test_a_gate_that_ends_on_the_way_forward_goes_on_from_there(world: World, when: str) -> None:
    first = world.release(GOOD)
    commit = world.source.push(compose(LATER))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Crash):
        CRASHES[when](world, patch)
        world.turn()
    state, published = world.state, world.mirror.head()
    assert state.trying and state.trying.version.commit == commit and state.good and state.good.commit == first
    assert (published == state.trying.version.release) is (when != "before the ref moves")
    world.on_knock = lambda: None
    state = world.turn()
    assert state.good and state.good.commit == commit and state.before and state.before.commit == first
    assert world.mirror.head() == state.good.release and world.running == {"r/web:2"}
    assert world.results() == ["running", "running"]


@pytest.mark.parametrize("when", CRASHES)
def test_a_gate_that_ends_on_the_way_back_goes_on_from_there(world: World, when: str) -> None:
    first = world.release(GOOD)
    commit = world.source.push(compose("bad"))

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Crash):
        fail = module.Rollout._return_to

        def then(*arguments: object) -> State:
            with pytest.MonkeyPatch.context() as inner:
                CRASHES[when](world, inner)
                inner.setattr(world, "deploy", lambda text: None) if when == "while containers start" else None
                return fail(*arguments)  # type: ignore[arg-type]

        patch.setattr(module.Rollout, "_return_to", then)
        world.turn()
    state = world.state
    assert state.trying and state.trying.back and state.refused and state.refused.commit == commit
    world.on_knock = lambda: None
    state = world.turn()
    assert state.good and state.good.commit == first and state.trying is None and world.running == {"r/web:1"}
    assert state.refused and state.refused.commit == commit
    assert world.results() == ["running", "failed", "back"]


def test_a_disk_that_is_full_moves_nothing(world: World) -> None:
    first = world.release(GOOD)
    head = world.mirror.head()
    world.source.push(compose(LATER))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="space"):
        patch.setattr("provisioning.gate.state.os.fsync", lambda file: (_ for _ in ()).throw(OSError(28, "no space")))
        world.turn()
    assert world.mirror.head() == head and world.running == {"r/web:1"}
    assert world.state.good and world.state.good.commit == first and world.state.trying is None


def test_of_two_commits_at_once_the_later_is_deployed(world: World) -> None:
    world.release(GOOD)
    world.source.push(compose("between"))
    later = world.source.push(compose(LATER))
    state = world.turn()
    assert state.good and state.good.commit == later and world.results() == ["running", "running"]


def test_a_commit_that_comes_while_another_is_on_its_way_is_next(world: World) -> None:
    first = world.source.push(compose(GOOD))
    later: list[str] = []
    world.on_knock = lambda: later.append(world.source.push(compose(LATER))) if not later else None
    state = world.turn()
    assert state.good and state.good.commit == first
    state = world.turn()
    assert state.good and [state.good.commit] == later


def test_a_commit_between_the_question_and_the_fetch_is_the_one_that_is_released(world: World) -> None:
    world.source.push(compose(GOOD))
    later: list[str] = []
    world.source.on_fetch = lambda: later.append(world.source.push(compose(LATER))) if not later else None
    state = world.turn()
    assert state.good and [state.good.commit] == later
    assert world.turn().asked == later[0] and world.results() == ["running"]


def test_a_forced_push_to_an_older_commit_is_deployed_like_any_other(world: World) -> None:
    first = world.release(GOOD)
    world.release(LATER)
    world.source.at = first
    state = world.turn()
    assert state.good and state.good.commit == first and world.running == {"r/web:1"}


def test_a_branch_that_was_deleted_keeps_running_and_says_so(world: World) -> None:
    first = world.release(GOOD)
    world.source.at = None
    state = world.turn()
    assert "has no refs/heads/main any more; push it again" in state.source_error
    assert state.good and state.good.commit == first == state.asked and world.running == {"r/web:1"}
    world.source.at = first
    assert world.turn().source_error == ""


def test_a_git_server_that_is_away_is_told_without_the_password(world: World) -> None:
    first = world.release(GOOD)
    world.source.error = "https://lab:Canary-git@git.lab: does not answer"
    state = world.turn()
    assert state.source_error == "https://lab:***@git.lab: does not answer" and state.asked == first
    assert world.results() == ["running"]


def test_another_environment_is_another_release_of_the_same_commit(world: World) -> None:
    text = "services: {web: {image: 'r/web:1', environment: {LEVEL: '${LEVEL}'}}, db: {image: 'r/db:1'}}"
    commit = world.source.push(text)
    before = world.turn().good
    state = world.works(env={"LEVEL": "debug"}).turn("up")
    assert before and state.good and state.good.commit == before.commit == commit
    assert state.good.release != before.release and '"LEVEL": "debug"' in body(world)
    assert state.good.marks["web"] != before.marks["web"] and state.good.marks["db"] == before.marks["db"]


def test_services_that_a_release_no_longer_has_are_removed(world: World) -> None:
    world.source.push("services: {web: {image: 'r/web:1'}, db: {image: 'r/db:1'}}")
    world.turn()
    assert world.running == {"r/web:1", "r/db:1"}
    world.release(LATER)
    assert world.running == {"r/web:2"}


def test_a_stack_that_somebody_stopped_is_started_by_nobody_here_but_its_release_is_ready(world: World) -> None:
    world.release(GOOD)
    world.engine.found = []
    commit, head = world.source.push(compose(LATER)), world.mirror.head()
    state = world.turn()
    assert world.mirror.head() == head and state.asked == commit and world.running == set()
    state = world.turn("hand", forced=True)
    assert state.trying and state.trying.waits and world.mirror.head() != head and world.running == set()
    assert world.turn().trying and world.running == set()
    marks = state.trying.version.marks
    world.engine.found = [container(marks["web"], image=state.trying.version.images["web"])]  # somebody starts it
    state = world.turn()
    assert state.good and state.good.commit == commit and state.trying is None


def test_a_stack_that_is_not_to_run_gets_no_release(world: World) -> None:
    world.source.push(compose(GOOD))
    state = world.works(running=False).turn("poll", forced=True)
    assert state.good is None and world.mirror.head() == "" and world.knocks == 0


def test_an_up_releases_what_ought_to_run_and_does_not(world: World) -> None:
    first = world.release(GOOD)
    head = world.mirror.head()
    world.engine.found = [container("another")]
    assert world.turn().good and world.mirror.head() == head
    state = world.turn("up", forced=True)
    assert state.good and state.good.commit == first and world.running == {"r/web:1"}
    assert world.mirror.head() != head and subject(world) == f"Back to {first}: some of it did not run any more"


class TestProbation:
    def crashed(self, world: World) -> State:
        world.engine.found = [
            container(each.labels["hypercompose.release"], image=each.image, state="restarting", restarts=3, id=each.id)
            for each in world.engine.found
        ]
        return world.works().probe(world.state)

    def test_what_crashes_soon_after_goes_back_to_the_one_before(self, world: World) -> None:
        first, second = world.release(GOOD), world.release(LATER)
        state = self.crashed(world)
        assert state.good and state.good.commit == first and state.before is None
        assert state.refused and state.refused.commit == second
        assert world.results() == ["running", "running", "failed", "back"] and world.running == {"r/web:1"}
        head = world.mirror.head()
        world.turn()
        assert world.mirror.head() == head  # the failed one is still what is asked for

    def test_what_somebody_stops_by_hand_is_not_taken_for_a_crash(self, world: World) -> None:
        world.release(GOOD)
        world.release(LATER)
        before = world.state
        world.engine.found = [
            replace(each, state="exited", exit_code=137, restart_policy="unless-stopped") for each in world.engine.found
        ]
        assert world.works().probe(world.state) == before and world.results() == ["running", "running"]

    def test_without_one_before_it_stays(self, world: World) -> None:
        world.release(GOOD)
        before = world.state
        assert self.crashed(world) == before and world.results() == ["running"]

    def test_what_is_well_stays(self, world: World) -> None:
        world.release(GOOD)
        world.release(LATER)
        before = world.state
        assert world.works().probe(before) == before

    def test_before_the_first_release_there_is_nothing_to_look_at(self, world: World) -> None:
        assert world.works().probe(State()) == State()


class TestRollback:
    def test_the_one_before_comes_back_as_a_new_release(self, world: World) -> None:
        first, second = world.release(GOOD), world.release(LATER)
        head = world.mirror.head()
        state = world.works().rollback("", "ann")
        assert state.good and (state.good.commit, state.good.by) == (first, "ann")
        assert world.mirror.head() != head and world.running == {"r/web:1"}
        assert state.held == second == state.asked

    def test_it_stays_until_another_commit_comes(self, world: World) -> None:
        first, _ = world.release(GOOD), world.release(LATER)
        world.works().rollback("", "ann")
        assert (state := world.turn()).good and state.good.commit == first
        third = world.release("3")
        assert world.state.good and world.state.good.commit == third and world.state.held == ""

    def test_an_up_brings_the_held_commit_again(self, world: World) -> None:
        _, second = world.release(GOOD), world.release(LATER)
        world.works().rollback("", "ann")
        state = world.turn("up", forced=True)
        assert state.good and state.good.commit == second and state.held == ""

    def test_a_commit_is_named_by_its_first_letters(self, world: World) -> None:
        first, *_ = (world.release(tag) for tag in (GOOD, LATER, "3"))
        state = world.works().rollback(first[:8], "ann")
        assert state.good and state.good.commit == first

    def test_another_name_is_told_the_ones_that_there_are(self, world: World) -> None:
        first, second = world.release(GOOD), world.release(LATER)
        expected = rf"TO=dead: no such version, expected one of: {second[:10]}, {first[:10]}"
        with pytest.raises(ProvisioningError, match=expected):
            world.works().rollback("dead", "ann")

    @pytest.mark.parametrize("to", ["", "abc"])
    def test_where_nothing_has_run_that_is_said(self, world: World, to: str) -> None:
        with pytest.raises(ProvisioningError, match="none has run"):
            world.works().rollback(to, "ann")

    def test_an_image_that_is_gone_is_fetched_first_and_without_it_nothing_is_touched(self, world: World) -> None:
        world.release(GOOD)
        world.release(LATER)
        before, world.missing = world.state, {"r/web:1"}
        with pytest.raises(EngineError, match="manifest unknown"):
            world.works().rollback("", "ann")
        assert world.state == before and world.running == {"r/web:2"}

    def test_one_that_fails_comes_back_to_what_ran(self, world: World) -> None:
        world.release(GOOD)
        second = world.release(LATER)
        world.on_knock = lambda: world.engine.found.clear()
        world.deaf = "deaf"
        state = world.works().rollback("", "ann")
        assert state.good and state.good.commit == second and world.running == {"r/web:2"}


class TestRepushed:
    def look(self, world: World, **changes: str) -> State:
        return world.works(**changes).look_at_tags(world.state, "poll")

    def test_a_tag_that_was_pushed_again_is_told(self, world: World) -> None:
        world.release(GOOD)
        head, world.pushed = world.mirror.head(), {"r/web:1": digest("again")}
        state = self.look(world)
        assert state.repushed == {"web": f"r/web:1@{digest('again')}"}
        assert world.mirror.head() == head
        world.pushed = {}
        assert self.look(world).repushed == {}

    def test_where_it_is_to_be_deployed_it_is_released(self, world: World) -> None:
        commit = world.release(GOOD)
        world.pushed = {"r/web:1": digest("again")}
        state = self.look(world, repushed="deploy")
        assert state.good and state.good.commit == commit and state.repushed == {}
        assert state.good.images == {"web": f"r/web:1@{digest('again')}"}
        assert state.good.by == "poll: a tag was pushed again"

    def test_one_that_crashes_goes_back_and_is_not_deployed_again_by_itself(self, world: World) -> None:
        world.release(GOOD)
        world.pushed = {"r/web:1": digest("again")}
        deploy, bad = world.deploy, digest("again")

        def crashes(text: str) -> None:
            deploy(text)
            world.engine.found = [_crashed(each) if bad in each.image else each for each in world.engine.found]

        world.deploy = crashes  # type: ignore[method-assign]
        state = self.look(world, repushed="deploy")
        assert state.good and bad not in state.good.images["web"]
        assert world.results() == ["running", "failed", "back"]
        self.look(world, repushed="deploy")
        assert world.results() == ["running", "failed", "back"]

    def test_a_registry_that_is_away_is_no_news(self, world: World) -> None:
        world.release(GOOD)
        before, world.missing = world.state, {"r/web:1"}
        assert self.look(world) == before

    def test_what_was_rolled_back_by_hand_is_left_alone(self, world: World) -> None:
        world.release(GOOD)
        world.release(LATER)
        world.works().rollback("", "ann")
        head, world.pushed = world.mirror.head(), {"r/web:1": digest("again")}
        state = self.look(world, repushed="deploy")
        assert world.mirror.head() == head and state.repushed


def _crashed(each: Container) -> Container:
    mark = each.labels["hypercompose.release"]
    return container(mark, image=each.image, state="exited", exit_code=1, started=LONG_AGO, id=each.id)


def test_no_secret_is_in_what_is_kept_of_a_failure(world: World) -> None:
    world.release(GOOD)
    world.engine.logs = lambda identity: ["login Canary-hidden", "hook Canary-hook", "git Canary-git"]  # type: ignore[method-assign]
    world.release("bad")
    state = world.state
    assert state.refused and "login ***" in state.refused.reason
    for file in (world.folder / "state.json", world.folder / "history.jsonl"):
        assert "Canary" not in file.read_text()
    assert "Canary" not in str(world.told)


def test_a_deployment_that_a_restart_broke_off_is_done_once_more(world: World) -> None:
    world.release(GOOD)
    commit = world.source.push(compose(LATER))
    world.on_knock = killed
    with pytest.raises(KeyboardInterrupt):
        world.turn()
    assert world.state.trying
    world.engine.found, world.deaf, world.on_knock = [], " ", lambda: None
    state = world.turn()
    assert state.good and state.good.commit == commit and state.refused is None
    assert world.by_itself == ["shop"] and world.running == {"r/web:2"}


def test_what_is_gone_again_after_the_second_attempt_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    test_a_deployment_that_a_restart_broke_off_is_done_once_more(world)
    world.source.push(compose("3"))
    world.on_knock, world.deaf = killed, ""
    with pytest.raises(KeyboardInterrupt):
        world.turn()
    world.engine.found, world.deaf, world.on_knock = [], " ", lambda: None
    monkeypatch.setattr(deployment, "up", lambda *arguments: None)
    deployed = world.deploy
    monkeypatch.setattr(deployment, "ALONE_S", 9.0)
    world.on_knock = lambda: deployed(world.mirror.text(world.mirror.head())) if world.state.trying.back else None  # type: ignore[union-attr]
    state = world.turn()
    assert state.refused and "its containers were removed again" in state.refused.reason
    assert world.running == {"r/web:2"}


def killed() -> None:
    raise KeyboardInterrupt
