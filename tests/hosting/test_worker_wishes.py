"""What people and time want of an instance that is there, carried out by a worker."""

from __future__ import annotations

import pytest

from hosting import wishes
from hosting.engine import EngineFailed
from hosting.errors import Busy
from hosting.extend import extend
from hosting.model import Instance, Port
from hosting.vocabulary import Run, State
from hosting.worker import QUARANTINE
from tests.hosting.working import Work, work
from tests.hosting.world import DAY, HOUR, NOW, ask, numbers, take, tell
from tests.provisioning.portainer.world import container

__all__ = ["work"]


def test_stop_and_start_go_to_portainer_alone(work: Work) -> None:
    instance = work.running()
    work.wish("stop")
    stopped = work.settle(instance)
    assert (stopped.state, stopped.run, work.stacks.done) == (State.STOPPED, Run.STOPPED, ["stop"])
    work.wish("start")
    started = work.settle(instance)
    assert (started.state, started.made, work.stacks.done) == (State.RUNNING, 1, ["stop", "start"])
    assert work.engine.runs == []
    assert work.whats()[-6:] == ["stop", "stopping", "stopped", "start", "starting", "running"]


def test_one_that_portainer_does_not_know_any_more_is_stopped_already(work: Work) -> None:
    instance = work.running()
    work.stacks.found = None
    work.wish("stop")
    assert work.settle(instance).state is State.STOPPED
    assert work.engine.runs == []


def test_a_stack_of_that_name_that_somebody_else_made_is_neither_stopped_nor_started(work: Work) -> None:
    instance = work.running()
    work.deploy(owner="lab/other/i-{name}")
    work.wish("stop")
    work.settle(instance)
    work.wish("start")
    work.settle(instance)
    assert work.stacks.calls == [] and work.engine.done == ["repair"]


def test_one_that_portainer_does_not_know_any_more_is_started_by_the_engine(work: Work) -> None:
    instance = work.running()
    work.wish("stop")
    work.settle(instance)
    work.stacks.found = None
    work.wish("start")
    assert work.settle(instance).state is State.RUNNING
    assert work.engine.done == ["repair"]


def test_what_portainer_alone_could_not_start_is_looked_at_by_the_engine_next_time(work: Work) -> None:
    instance = work.running()
    work.wish("stop")
    work.settle(instance)
    work.docker.looks = [[container(state="exited", exit_code=1)]]
    work.wish("start")
    failed = work.settle(instance)
    assert failed.state is State.FAILED and "service web" in failed.why and work.engine.runs == []
    work.settle(instance)
    assert work.engine.done == ["repair"]


@pytest.mark.parametrize("text", ["", "x", "services: [1]", "services: {web: 1}", "{", "services: {web: {}}"])
def test_one_whose_text_somebody_broke_is_brought_up_by_the_engine(work: Work, text: str) -> None:
    instance = work.running()
    work.wish("stop")
    work.settle(instance)
    work.stacks.content = text
    work.wish("start")
    assert work.settle(instance).state is State.RUNNING
    assert work.engine.done == ["repair"] and "start" not in work.stacks.done


def test_a_start_is_done_when_all_is_well_and_not_before(work: Work) -> None:
    instance = work.running()
    work.wish("stop")
    work.settle(instance)
    starting = [container(health="starting")]
    work.docker.looks = [[], starting, starting, [container()]]
    work.wish("start")
    assert work.settle(instance).state is State.RUNNING
    assert work.docker.looked >= 5


def test_one_that_is_to_stop_before_it_was_ever_made_is_not_made(work: Work) -> None:
    instance = work.asked()
    work.wish("stop")
    stopped = work.settle(instance)
    assert (stopped.state, stopped.made, work.engine.runs) == (State.STOPPED, 0, [])
    work.wish("start")
    assert (work.settle(instance).state, work.engine.done) == (State.RUNNING, ["up"])


def test_a_change_of_one_that_is_stopped_waits_until_it_shall_run(work: Work) -> None:
    instance = work.running()
    work.wish("stop")
    work.settle(instance)
    work.resize(600)
    assert work.settle(instance).state is State.STOPPED and work.engine.runs == []
    work.wish("start")
    started = work.settle(instance)
    assert (started.state, started.made, work.engine.done) == (State.RUNNING, 2, ["up"])


def test_an_environment_that_is_away_fails_a_stop_which_is_tried_again(work: Work) -> None:
    instance = work.running()
    work.wish("stop")
    work.places["lab"].away = True
    failed = work.settle(instance)
    assert failed.state is State.FAILED and "cannot be read" in failed.why
    work.places["lab"].away = False
    assert work.settle(instance).state is State.STOPPED


def test_a_delete_leaves_neither_row_nor_lease(work: Work) -> None:
    instance = work.running()
    work.wish("delete")
    assert work.worker().settle(instance.id) is None
    ((operation, order),) = work.engine.runs
    assert (operation, order.keep_volumes) == ("destroy", False)
    assert [(port.instance, port.quarantined_until) for port in work.ports()] == [(None, NOW + QUARANTINE)] * 2
    assert work.whats()[-1] == "deleted"
    assert numbers(ask(work.database, "next")) == [20002, 20003]


def test_volumes_that_are_to_stay_are_told_to_the_engine(work: Work) -> None:
    instance = work.running()
    work.database.transact(wishes.delete, "shop", now=NOW, who="ann", keep_volumes=True)
    work.worker().settle(instance.id)
    assert [(what, order.keep_volumes) for what, order in work.engine.runs] == [("destroy", True)]


def expire(work: Work, instance: Instance) -> None:
    """The ticker has asked for its end."""
    work.put(instance, run=Run.STOPPED, expired_for=instance.deadline, destroy_after=work.now + 7 * DAY)


def test_an_extension_before_the_stop_is_carried_out_leaves_it_running(work: Work) -> None:
    instance = work.running()
    work.now = NOW + 31 * DAY
    expire(work, instance)
    work.database.transact(extend, "shop", now=work.now, who="ann", by=7 * DAY, max_days=90)
    assert work.settle(instance).state is State.RUNNING
    assert work.stacks.calls == []


def test_an_extension_while_it_stops_or_after_brings_it_back(work: Work) -> None:
    instance = work.running()
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
    instance = work.asked()
    work.engine.fails(EngineFailed("port is already allocated"))
    work.settle(instance)
    with work.database.write() as session:
        session.get_one(Port, ("lab/app", 20001)).taken_by_others = True
    made = work.settle(instance)
    assert (made.state, numbers(made), made.made) == (State.RUNNING, [20002, 20003], made.generation)
    assert [order.ports["web"] for _, order in work.engine.runs] == [20000, 20002]
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
    instance = work.running()
    work.wish("delete")
    work.places.clear()
    work.worker().abandon(instance.id)
    assert work.engine.done == ["abandon"] and work.row(instance.id) is None
    assert all(port.quarantined_until for port in work.ports())


def test_nobody_abandons_what_somebody_works_on_or_what_is_to_stay(work: Work) -> None:
    instance = work.running()
    with pytest.raises(Exception, match="state: running of shop, expected deleting"):
        work.worker().abandon(instance.id)
    assert work.engine.runs == []
    work.wish("delete")
    take(work.database, instance, holder="other@vm")
    with pytest.raises(Busy, match="somebody works on it"):
        work.worker().abandon(instance.id)
    assert work.row(instance.id) is not None
