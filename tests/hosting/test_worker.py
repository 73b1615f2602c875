"""A worker brings an instance to what its row wants, whoever changes it or dies meanwhile."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from hosting import lock
from hosting.engine import EngineFailed
from hosting.states import BACKOFF
from hosting.vocabulary import State
from hosting.worker import LOCK_S
from provisioning.errors import ProvisioningError
from tests.hosting.working import Work, work
from tests.hosting.world import HOSTILE, MINUTE, NOW, look, numbers, take

__all__ = ["work"]
AWAY = EngineFailed("up of shop: Portainer away")


def test_what_was_asked_for_runs_and_the_row_says_which_generation(work: Work) -> None:
    instance = work.asked(settings={"A": "$(reboot)"}, tenant="acme")
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
    instance = work.running()
    assert work.settle(instance).state is State.RUNNING
    assert work.engine.runs == [] and work.stacks.calls == [] and work.told == []


def test_one_that_is_not_there_is_no_error(work: Work) -> None:
    assert work.worker().settle("nobody") is None


def test_a_change_while_the_engine_runs_is_carried_out_afterwards(work: Work) -> None:
    instance = work.asked()
    work.engine.then = [lambda: work.resize(600), lambda: None]
    made = work.settle(instance)
    assert (made.state, made.generation, made.made) == (State.RUNNING, 2, 2)
    assert [(what, order.size) for what, order in work.engine.runs] == [("up", "small"), ("up", "m")]


def test_people_who_change_it_all_the_time_do_not_keep_a_worker_for_ever(work: Work) -> None:
    instance, size = work.asked(), iter(range(513, 600))
    work.engine.then = [lambda: work.resize(next(size))]
    found = work.settle(instance)
    assert len(work.engine.runs) == 8 and found.made == 8 and found.lock_until is None


def test_a_stop_while_it_is_made_is_carried_out_afterwards(work: Work) -> None:
    instance = work.asked()

    def meanwhile() -> None:
        work.deploy()
        work.wish("stop")

    work.engine.then = [meanwhile, lambda: None]
    assert work.settle(instance).state is State.STOPPED
    assert work.stacks.done == ["stop"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_delete_while_it_is_made_is_carried_out_at_once_whatever_came_of_that(work: Work, fails: bool) -> None:
    instance = work.asked()

    def meanwhile() -> None:
        work.wish("delete")
        if fails:
            raise AWAY

    work.engine.then = [meanwhile, lambda: None]
    assert work.worker().settle(instance.id) is None
    assert work.engine.done == ["up", "destroy"] and work.row(instance.id) is None
    assert "failed" not in work.whats()


@pytest.mark.parametrize("error", [AWAY, ProvisioningError("host away"), KeyError("hosting"), OSError("no memory")])
def test_what_fails_is_told_and_tried_again_later(work: Work, error: Exception) -> None:
    instance = work.asked()
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
    instance = work.asked()
    work.engine.fails(EngineFailed(text))
    assert work.settle(instance).why == text


def test_a_change_after_a_failure_still_looks_at_what_is_there(work: Work) -> None:
    instance = work.asked()
    work.engine.fails(AWAY)
    work.settle(instance)
    work.resize(600)  # which forgets that it was tried before
    work.settle(instance)
    assert work.engine.done == ["up", "repair"]


def test_a_delete_that_fails_stays_one_and_is_tried_again(work: Work) -> None:
    instance = work.running()
    work.wish("delete")
    work.engine.fails(AWAY)
    failed = work.settle(instance)
    assert (failed.state, failed.attempts) == (State.DELETING, 1) and "Portainer away" in failed.why
    assert work.worker().settle(instance.id) is None


@pytest.mark.parametrize("death", [KeyboardInterrupt(), SystemExit(1), MemoryError()])
def test_one_whose_worker_was_ended_is_looked_at_and_made_by_the_next(work: Work, death: BaseException) -> None:
    instance = work.asked()
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
    instance = work.asked()
    work.database.transact(lock.take, instance.id, "dead@vm", now=NOW, for_s=LOCK_S)
    work.put(instance, state=State.CREATING)
    work.later(timedelta(seconds=LOCK_S - 1))
    assert work.settle(instance).state is State.CREATING
    assert work.engine.runs == [] and work.told == ["shop: dead@vm works on it"]
    work.later(timedelta(seconds=2))
    assert work.settle(instance).state is State.RUNNING
    assert work.engine.done == ["repair"]


def test_what_somebody_else_holds_is_left_to_them(work: Work) -> None:
    instance = work.asked()
    take(work.database, instance, holder="other@vm")
    assert work.settle(instance).state is State.REQUESTED
    assert work.engine.runs == [] and work.told == ["shop: other@vm works on it"]
    assert look(work.database, instance).lock_holder == "other@vm"


def test_a_worker_that_lost_its_lock_while_the_engine_ran_writes_nothing_more(work: Work) -> None:
    instance, before = work.asked(), list[int]()

    def too_long() -> None:
        work.later(2 * MINUTE)
        take(work.database, instance, now=work.now, holder="other@vm")
        before.append(look(work.database, instance).revision)

    work.engine.then = [too_long]
    found = work.settle(instance)
    assert (found.state, found.lock_holder, [found.revision]) == (State.CREATING, "other@vm", before)
    assert [line for line in work.told if "other@vm holds it" in line] == work.told[-1:]


def test_a_failure_after_the_lock_was_lost_is_not_written_either(work: Work) -> None:
    instance = work.asked()

    def too_long() -> None:
        work.later(2 * MINUTE)
        raise AWAY

    work.engine.then = [too_long]
    found = work.settle(instance)
    assert (found.state, found.why) == (State.CREATING, "")


def test_a_lock_is_renewed_for_as_long_as_the_engine_runs(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hosting.worker.LOCK_S", 0.3)
    instance, seen = work.asked(), list[bool]()

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
