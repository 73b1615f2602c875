"""A worker brings an instance to what its row wants, whoever changes it or dies meanwhile."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from hosting import lock, wishes
from hosting.engine import EngineFailed
from hosting.errors import Busy
from hosting.extend import extend
from hosting.model import Instance, Port
from hosting.states import BACKOFF
from hosting.vocabulary import Run, State
from hosting.worker import LOCK_S, QUARANTINE
from provisioning.errors import ProvisioningError
from tests.hosting.working import IMAGES, Work, work
from tests.hosting.world import DAY, HOSTILE, HOUR, MINUTE, NOW, ask, look, numbers, run, take, tell
from tests.provisioning.portainer.world import container

__all__ = ["work"]
AWAY = EngineFailed("up of shop: Portainer away")


def asked(work: Work, name: str = "shop", **other: object) -> Instance:
    tell(work.database)
    return ask(work.database, name, **other)


def running(work: Work) -> Instance:
    tell(work.database)
    work.deploy()
    return run(work.database)


def resize(work: Work, memory_mib: int) -> Instance:
    return work.database.transact(wishes.resize, "shop", size="m", memory_mib=memory_mib, now=work.now, who="ann")


def wish(work: Work, what: str) -> Instance:
    found: Instance = work.database.transact(getattr(wishes, what), "shop", now=work.now, who="ann")
    return found


def test_what_was_asked_for_runs_and_the_row_says_which_generation(work: Work) -> None:
    instance = asked(work, settings={"A": "$(reboot)"}, tenant="acme")
    made = work.settle(instance)
    assert (made.state, made.made, made.why, made.lock_until) == (State.RUNNING, 1, "", None)
    ((operation, order),) = work.engine.runs
    assert operation == "up"
    assert (order.site, order.environment, order.host, order.name) == ("lab", "lab", "app", "shop")
    assert (order.ports, order.run) == ({"web": 20000, "websocket": 20001}, "started")
    assert (order.settings, order.tenant, order.size, order.version) == ({"A": "$(reboot)"}, "acme", "small", "17.0")
    assert work.told == ["shop: create", "engine: up"]
    assert work.whats() == ["requested", "creating", "running"]


def test_what_is_as_it_is_wanted_is_left_alone(work: Work) -> None:
    instance = running(work)
    assert work.settle(instance).state is State.RUNNING
    assert work.engine.runs == [] and work.stacks.calls == [] and work.told == []


def test_one_that_is_not_there_is_no_error(work: Work) -> None:
    assert work.worker().settle("nobody") is None


def test_a_change_while_the_engine_runs_is_carried_out_afterwards(work: Work) -> None:
    instance = asked(work)
    work.engine.then = [lambda: (resize(work, 600), None)[1], lambda: None]
    made = work.settle(instance)
    assert (made.state, made.generation, made.made) == (State.RUNNING, 2, 2)
    assert [(what, order.size) for what, order in work.engine.runs] == [("up", "small"), ("up", "m")]


def test_people_who_change_it_all_the_time_do_not_keep_a_worker_for_ever(work: Work) -> None:
    instance, size = asked(work), iter(range(513, 600))
    work.engine.then = [lambda: (resize(work, next(size)), None)[1]]
    found = work.settle(instance)
    assert len(work.engine.runs) == 8 and found.made == 8 and found.lock_until is None


def test_a_stop_while_it_is_made_is_carried_out_afterwards(work: Work) -> None:
    instance = asked(work)
    work.engine.then = [lambda: (wish(work, "stop"), work.deploy())[1], lambda: None]
    assert work.settle(instance).state is State.STOPPED
    assert work.stacks.done == ["stop"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_delete_while_it_is_made_is_carried_out_at_once_whatever_came_of_that(work: Work, fails: bool) -> None:
    instance = asked(work)

    def meanwhile() -> None:
        wish(work, "delete")
        if fails:
            raise AWAY

    work.engine.then = [meanwhile, lambda: None]
    assert work.worker().settle(instance.id) is None
    assert work.engine.done == ["up", "destroy"] and work.row(instance.id) is None
    assert "failed" not in work.whats()


@pytest.mark.parametrize("error", [AWAY, ProvisioningError("host away"), KeyError("hosting"), OSError("no memory")])
def test_what_fails_is_told_and_tried_again_later(work: Work, error: Exception) -> None:
    instance = asked(work)
    work.engine.fails(error)
    failed = work.settle(instance)
    assert (failed.state, failed.attempts, failed.retry_at) == (State.FAILED, 1, NOW + BACKOFF[0])
    assert str(error) in failed.why and failed.lock_until is None
    assert any(str(error) in line for line in work.told)
    assert numbers(failed) == [20000, 20001]
    made = work.settle(failed)
    assert (made.state, made.why, made.attempts) == (State.RUNNING, "", 0)
    assert work.engine.done == ["up", "repair"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_an_error_says_is_kept_as_it_is(work: Work, text: str) -> None:
    instance = asked(work)
    work.engine.fails(EngineFailed(text))
    assert work.settle(instance).why == text


def test_a_change_after_a_failure_still_looks_at_what_is_there(work: Work) -> None:
    instance = asked(work)
    work.engine.fails(AWAY)
    work.settle(instance)
    resize(work, 600)  # which forgets that it was tried before
    work.settle(instance)
    assert work.engine.done == ["up", "repair"]


def test_a_delete_that_fails_stays_one_and_is_tried_again(work: Work) -> None:
    instance = running(work)
    wish(work, "delete")
    work.engine.fails(AWAY)
    failed = work.settle(instance)
    assert (failed.state, failed.attempts) == (State.DELETING, 1) and "Portainer away" in failed.why
    assert work.worker().settle(instance.id) is None


@pytest.mark.parametrize("death", [KeyboardInterrupt(), SystemExit(1), MemoryError()])
def test_one_whose_worker_was_ended_is_looked_at_and_made_by_the_next(work: Work, death: BaseException) -> None:
    instance = asked(work)
    work.engine.fails(death)
    if isinstance(death, Exception):
        work.settle(instance)
    else:
        with pytest.raises(type(death)):
            work.settle(instance)
    assert work.row(instance.id).lock_until is None  # type: ignore[union-attr]
    assert work.settle(instance).state is State.RUNNING
    assert work.engine.done == ["up", "repair"]


def test_one_whose_worker_died_without_a_word_is_taken_up_when_its_lock_has_ended(work: Work) -> None:
    instance = asked(work)
    work.database.transact(lock.take, instance.id, "dead@vm", now=NOW, for_s=LOCK_S)
    work.put(instance, state=State.CREATING)
    work.later(timedelta(seconds=LOCK_S - 1))
    assert work.settle(instance).state is State.CREATING
    assert work.engine.runs == [] and work.told == ["shop: dead@vm works on it"]
    work.later(timedelta(seconds=2))
    assert work.settle(instance).state is State.RUNNING
    assert work.engine.done == ["repair"]


def test_what_somebody_else_holds_is_left_to_them(work: Work) -> None:
    instance = asked(work)
    take(work.database, instance, holder="other@vm")
    assert work.settle(instance).state is State.REQUESTED
    assert work.engine.runs == [] and work.told == ["shop: other@vm works on it"]
    assert look(work.database, instance).lock_holder == "other@vm"


def test_a_worker_that_lost_its_lock_while_the_engine_ran_writes_nothing_more(work: Work) -> None:
    instance, before = asked(work), list[int]()

    def too_long() -> None:
        work.later(2 * MINUTE)
        take(work.database, instance, now=work.now, holder="other@vm")
        before.append(look(work.database, instance).revision)

    work.engine.then = [too_long]
    found = work.settle(instance)
    assert (found.state, found.lock_holder, [found.revision]) == (State.CREATING, "other@vm", before)
    assert "other@vm holds it" in work.told[-1]


def test_a_failure_after_the_lock_was_lost_is_not_written_either(work: Work) -> None:
    instance = asked(work)

    def too_long() -> None:
        work.later(2 * MINUTE)
        raise AWAY

    work.engine.then = [too_long]
    found = work.settle(instance)
    assert (found.state, found.why) == (State.CREATING, "")


def test_stop_and_start_go_to_portainer_alone(work: Work) -> None:
    instance = running(work)
    wish(work, "stop")
    stopped = work.settle(instance)
    assert (stopped.state, stopped.run, work.stacks.done) == (State.STOPPED, Run.STOPPED, ["stop"])
    wish(work, "start")
    started = work.settle(instance)
    assert (started.state, started.made, work.stacks.done) == (State.RUNNING, 1, ["stop", "start"])
    assert work.engine.runs == []
    assert work.whats()[-6:] == ["stop", "stopping", "stopped", "start", "starting", "running"]


def test_one_that_portainer_does_not_know_any_more_is_stopped_already(work: Work) -> None:
    instance = running(work)
    work.stacks.found = None
    wish(work, "stop")
    assert work.settle(instance).state is State.STOPPED
    assert work.engine.runs == []


def test_a_stack_of_that_name_that_somebody_else_made_is_neither_stopped_nor_started(work: Work) -> None:
    instance = running(work)
    work.deploy(owner="lab/other/i-{name}")
    wish(work, "stop")
    work.settle(instance)
    wish(work, "start")
    work.settle(instance)
    assert work.stacks.calls == [] and work.engine.done == ["repair"]


def test_one_that_portainer_does_not_know_any_more_is_started_by_the_engine(work: Work) -> None:
    instance = running(work)
    wish(work, "stop")
    work.settle(instance)
    work.stacks.found = None
    wish(work, "start")
    assert work.settle(instance).state is State.RUNNING
    assert work.engine.done == ["repair"]


def test_what_portainer_alone_could_not_start_is_looked_at_by_the_engine_next_time(work: Work) -> None:
    instance = running(work)
    wish(work, "stop")
    work.settle(instance)
    work.docker.looks = [[container(state="exited", exit_code=1)]]
    wish(work, "start")
    failed = work.settle(instance)
    assert failed.state is State.FAILED and "service web" in failed.why and work.engine.runs == []
    work.settle(instance)
    assert work.engine.done == ["repair"]


def test_a_start_is_done_when_all_is_well_and_not_before(work: Work) -> None:
    instance = running(work)
    wish(work, "stop")
    work.settle(instance)
    starting = [container(health="starting")]
    work.docker.looks = [[], starting, starting, [container(image=IMAGES["web"])]]
    wish(work, "start")
    assert work.settle(instance).state is State.RUNNING
    assert work.docker.looked >= 5


def test_one_that_is_to_stop_before_it_was_ever_made_is_not_made(work: Work) -> None:
    instance = asked(work)
    wish(work, "stop")
    stopped = work.settle(instance)
    assert (stopped.state, stopped.made, work.engine.runs) == (State.STOPPED, 0, [])
    wish(work, "start")
    assert (work.settle(instance).state, work.engine.done) == (State.RUNNING, ["up"])


def test_a_change_of_one_that_is_stopped_waits_until_it_shall_run(work: Work) -> None:
    instance = running(work)
    wish(work, "stop")
    work.settle(instance)
    resize(work, 600)
    assert work.settle(instance).state is State.STOPPED and work.engine.runs == []
    wish(work, "start")
    started = work.settle(instance)
    assert (started.state, started.made, work.engine.done) == (State.RUNNING, 2, ["up"])


def test_an_environment_that_is_away_fails_a_stop_which_is_tried_again(work: Work) -> None:
    instance = running(work)
    wish(work, "stop")
    work.places["lab"].away = True
    failed = work.settle(instance)
    assert failed.state is State.FAILED and "cannot be read" in failed.why
    work.places["lab"].away = False
    assert work.settle(instance).state is State.STOPPED


def test_a_delete_leaves_neither_row_nor_lease(work: Work) -> None:
    instance = running(work)
    wish(work, "delete")
    assert work.worker().settle(instance.id) is None
    ((operation, order),) = work.engine.runs
    assert (operation, order.keep_volumes) == ("destroy", False)
    assert [(port.instance, port.quarantined_until) for port in work.ports()] == [(None, NOW + QUARANTINE)] * 2
    assert work.whats()[-1] == "deleted"
    assert numbers(ask(work.database, "next")) == [20002, 20003]


def test_volumes_that_are_to_stay_are_told_to_the_engine(work: Work) -> None:
    instance = running(work)
    work.database.transact(wishes.delete, "shop", now=NOW, who="ann", keep_volumes=True)
    work.worker().settle(instance.id)
    assert [(what, order.keep_volumes) for what, order in work.engine.runs] == [("destroy", True)]


def expire(work: Work, instance: Instance) -> None:
    """The ticker has asked for its end."""
    work.put(instance, run=Run.STOPPED, expired_for=instance.deadline, destroy_after=work.now + 7 * DAY)


def test_an_extension_before_the_stop_is_carried_out_leaves_it_running(work: Work) -> None:
    instance = running(work)
    work.now = NOW + 31 * DAY
    expire(work, instance)
    work.database.transact(extend, "shop", now=work.now, who="ann", by=7 * DAY, max_days=90)
    assert work.settle(instance).state is State.RUNNING
    assert work.stacks.calls == []


def test_an_extension_while_it_stops_or_after_brings_it_back(work: Work) -> None:
    instance = running(work)
    work.now = NOW + 31 * DAY
    expire(work, instance)
    stop = work.stacks.stop

    def meanwhile(identity: int) -> None:
        stop(identity)
        work.database.transact(extend, "shop", now=work.now, who="ann", by=HOUR, max_days=90)

    work.stacks.stop = meanwhile  # type: ignore[method-assign]
    back = work.settle(instance)
    assert (back.state, back.deadline, work.stacks.done) == (State.RUNNING, work.now + HOUR, ["stop", "start"])
    work.later(2 * HOUR)
    expire(work, back)
    work.stacks.stop = stop  # type: ignore[method-assign]
    assert work.settle(instance).state is State.STOPPED
    work.database.transact(extend, "shop", now=work.now, who="ann", by=HOUR, max_days=90)
    assert work.settle(instance).state is State.RUNNING


def test_ports_that_others_have_taken_are_given_up_before_it_is_made(work: Work) -> None:
    instance = asked(work)
    work.engine.fails(EngineFailed("port is already allocated"))
    work.settle(instance)
    with work.database.write() as session:
        session.get_one(Port, ("lab/app", 20001)).taken_by_others = True
    made = work.settle(instance)
    assert (made.state, numbers(made), made.made) == (State.RUNNING, [20002, 20003], made.generation)
    assert work.engine.runs[-1][1].ports == {"web": 20002, "websocket": 20003}
    left = {port.number: (port.instance, port.quarantined_until) for port in work.ports()}
    assert left[20000] == (None, NOW + QUARANTINE)


def test_without_other_ports_to_give_it_fails_and_says_so(work: Work) -> None:
    tell(work.database)
    instance = ask(work.database, port_names=tuple(f"p{n}" for n in range(16)))
    for number in range(5):
        ask(work.database, f"other{number}", port_names=tuple(f"p{n}" for n in range(16)))
    with work.database.write() as session:
        session.get_one(Port, ("lab/app", 20000)).taken_by_others = True
    failed = work.settle(instance)
    assert failed.state is State.FAILED and "ports: no 16 free side by side" in failed.why
    assert work.engine.runs == []


def test_an_abandoned_one_is_forgotten_without_its_host(work: Work) -> None:
    instance = running(work)
    wish(work, "delete")
    work.places.clear()
    work.worker().abandon(instance.id)
    assert work.engine.done == ["abandon"] and work.row(instance.id) is None
    assert all(port.quarantined_until for port in work.ports())


def test_nobody_abandons_what_somebody_works_on_or_what_is_to_stay(work: Work) -> None:
    instance = running(work)
    with pytest.raises(Exception, match="state: running of shop, expected deleting"):
        work.worker().abandon(instance.id)
    assert work.engine.runs == []
    wish(work, "delete")
    take(work.database, instance, holder="other@vm")
    with pytest.raises(Busy, match="somebody works on it"):
        work.worker().abandon(instance.id)
    assert work.row(instance.id) is not None


def test_a_lock_is_renewed_for_as_long_as_the_engine_runs(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hosting.worker.LOCK_S", 0.3)
    instance, seen = asked(work), list[bool]()

    def long() -> None:
        first = look(work.database, instance).lock_until
        work.later(timedelta(seconds=0.2))
        until = time.monotonic() + 10
        while look(work.database, instance).lock_until == first and time.monotonic() < until:
            time.sleep(0.02)
        seen.append(look(work.database, instance).lock_until > first)  # type: ignore[operator]

    work.engine.then = [long]
    work.settle(instance)
    assert seen == [True]
