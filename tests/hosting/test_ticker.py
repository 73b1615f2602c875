"""Ticks: what time brings is done once, what people want is brought on, what is away stops nothing else."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from hosting import due, wishes
from hosting.deadlines import Policy
from hosting.due import Due
from hosting.engine import EngineFailed
from hosting.errors import DatabaseAway
from hosting.events import history
from hosting.extend import extend
from hosting.model import Host, Instance, Port
from hosting.vocabulary import Run, State
from tests.hosting.ticking import LISTENS, POLICY, Ticking, hosts, ticking, work
from tests.hosting.world import DAY, HOUR, MINUTE, NOW, ask, numbers, offer, take, tell

__all__ = ["ticking", "work"]
END = NOW + 10 * DAY
SECOND = timedelta(seconds=1)


def deadlines(ticking: Ticking, name: str = "shop") -> list[str]:
    """What its deadline has brought so far, the oldest first."""
    with ticking.work.database.read() as session:
        found = [event.what for event in reversed(history(session, name))]
    return [what.removeprefix("deadline: ") for what in found if what.startswith("deadline: ")]


def test_a_life_to_its_end_is_told_and_done_once(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    seen: list[tuple[int, str]] = []
    for hour in range(0, 18 * 24, 6):
        seen += [(hour // 24, line) for line in ticking.at(NOW + hour * HOUR) if "shop:" in line]
    ends = "(deadline 2026-12-06 12:00 UTC, ann@acme.test)"
    assert seen == [
        (7, f"shop: warn {ends}"),
        (10, f"shop: stop {ends}"),
        (10, "shop: stop"),
        (16, "shop: final backup at app: /var/lib/hypercompose/backups/i-shop/x"),
        (16, f"shop: final_backup {ends}"),
        (17, f"shop: destroy {ends}"),
        (17, "shop: delete"),
    ]
    assert ticking.states(shop) == [None] and ticking.work.engine.done == ["destroy"]
    assert ticking.machines.backups == ["project=i-shop folder=/var/lib/hypercompose/backups stamp=20261212T120000Z"]


def test_it_is_stopped_in_the_tick_of_its_deadline_and_not_before(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.at(END - SECOND)
    assert ticking.states(shop) == [State.RUNNING]
    ticking.at(END)
    assert ticking.states(shop) == [State.STOPPED] and ticking.work.stacks.done == ["stop"]


def test_not_more_are_stopped_in_one_tick_than_the_cap_the_oldest_first(ticking: Ticking) -> None:
    ticking.cap = 2
    ticking.restarted()
    made = [ticking.running(name, lasts=(9 - index) * DAY)[0] for index, name in enumerate("abc")]
    ticking.work.stacks.found = None
    ticking.at(END)
    assert ticking.states(*made) == [State.RUNNING, State.STOPPED, State.STOPPED]
    ticking.at(END + MINUTE)
    assert ticking.states(*made) == [State.STOPPED] * 3


def test_a_deadline_that_was_missed_is_handled_once_at_the_restart(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.at(NOW)
    ticking.restarted()
    ticking.at(END + 30 * DAY)
    ticking.at(END + 30 * DAY + MINUTE)
    assert deadlines(ticking) == ["stop"]  # no warning after the fact, no destroy without its grace
    assert ticking.row(shop).destroy_after == END + 37 * DAY


def test_a_clock_that_jumps_ahead_stops_nobody_and_says_why(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.at(NOW + MINUTE)
    ticking.jumped = 30 * DAY
    told = ticking.at(NOW + 30 * DAY + 2 * MINUTE)
    assert any("clock: jumped 30 days" in line and "stops wait" in line for line in told)
    assert ticking.states(shop) == [State.RUNNING]
    ticking.jumped = timedelta(0)  # somebody puts it right
    assert ticking.at(NOW + 3 * MINUTE)
    assert ticking.states(shop) == [State.RUNNING] and deadlines(ticking) == []


def test_what_people_want_is_brought_on_while_the_clock_cannot_be_trusted(ticking: Ticking) -> None:
    ticking.at(NOW)
    shop = ticking.work.asked()
    ticking.jumped = 30 * DAY
    ticking.at(NOW + 30 * DAY)
    assert ticking.states(shop) == [State.RUNNING]


def test_a_final_backup_that_fails_is_told_and_tried_again_and_nothing_goes(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.at(END)
    ticking.machines.backup_fails = "tar: no space left on device\n"
    for day in (6, 7, 30):
        told = ticking.at(END + day * DAY)
        assert "shop: final backup: app.test: backup of i-shop: tar: no space left on device" in told
        assert ticking.states(shop) == [State.STOPPED]
    assert ticking.work.engine.runs == [] and deadlines(ticking) == ["stop"]
    ticking.machines.backup_fails = ""
    ticking.at(END + 31 * DAY)
    ticking.at(END + 31 * DAY + MINUTE)
    assert ticking.states(shop) == [None]
    assert deadlines(ticking) == ["stop", "final_backup", "destroy"]


def test_a_backup_that_fails_is_not_tried_again_by_every_tick(ticking: Ticking) -> None:
    ticking.running("shop", lasts=10 * DAY)
    ticking.at(END)
    ticking.machines.backup_fails = "tar: no space left on device\n"
    tried = [any("final backup" in line for line in ticking.at(END + 6 * DAY + n * MINUTE)) for n in range(11)]
    assert [n for n, was in enumerate(tried) if was] == [0, 5, 10]


def test_a_host_or_an_environment_that_is_away_fails_a_backup_like_anything_else(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.at(END)
    ticking.machines.away = {"app.test"}
    assert "shop: final backup: app.test: no answer" in ticking.at(END + 30 * DAY)
    ticking.work.places["lab"].away = True
    assert "shop: final backup: environment lab: its outputs cannot be read" in ticking.at(END + 31 * DAY)
    assert ticking.states(shop) == [State.STOPPED]


def test_a_product_without_data_goes_without_a_backup(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.work.catalogue.is_kept = False
    for day in (0, 6, 7):
        ticking.at(END + day * DAY)
    assert ticking.states(shop) == [None] and ticking.machines.backups == []


def test_a_site_that_wants_no_backups_gets_none(ticking: Ticking) -> None:
    ticking.policy = Policy(grace=DAY, needs_backup=False)
    ticking.restarted()
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.at(END)
    ticking.at(END + DAY)
    assert ticking.states(shop) == [None] and ticking.machines.backups == []


def test_a_backup_waits_while_somebody_else_works_on_it(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.at(END)
    take(ticking.work.database, shop, now=END + 6 * DAY, holder="other@vm")
    ticking.at(END + 6 * DAY)
    assert ticking.machines.backups == [] and deadlines(ticking) == ["stop"]


def test_an_extension_while_the_backup_is_made_wins(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.at(END)
    work = ticking.work
    ticking.machines.meanwhile = lambda: work.database.transact(
        extend, "shop", now=work.now, who="ann", by=DAY, max_days=90
    )
    ticking.at(END + 7 * DAY)
    found = ticking.row(shop)
    assert (found.state, found.backed_up_at, deadlines(ticking)) == (State.RUNNING, None, ["stop"])


def test_one_that_is_extended_is_warned_of_again_before_its_next_end(ticking: Ticking) -> None:
    ticking.running("shop", lasts=10 * DAY)
    ticking.at(END - DAY)
    ticking.work.database.transact(extend, "shop", now=END - DAY, who="ann", by=20 * DAY, max_days=90)
    ticking.at(END)
    assert deadlines(ticking) == ["warn"]
    ticking.at(END + 18 * DAY)
    assert deadlines(ticking) == ["warn", "warn"]


def test_what_was_asked_for_without_waiting_is_brought_on(ticking: Ticking) -> None:
    shop = ticking.work.asked()
    told = ticking.at(NOW)
    assert ticking.states(shop) == [State.RUNNING] and "shop: create" in told
    assert not ticking.at(NOW + MINUTE)


def test_what_failed_is_tried_again_when_its_wait_is_over(ticking: Ticking) -> None:
    shop = ticking.work.asked()
    ticking.work.engine.fails(EngineFailed("no registry"))
    ticking.at(NOW)
    ticking.at(NOW + 29 * SECOND)
    assert ticking.work.engine.done == ["up"]
    ticking.at(NOW + 30 * SECOND)
    assert ticking.work.engine.done == ["up", "repair"] and ticking.states(shop) == [State.RUNNING]


@pytest.mark.parametrize("error", [KeyError("x"), DatabaseAway("database: away")])
def test_what_goes_wrong_with_one_does_not_concern_the_others(
    ticking: Ticking, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(ticking.work.database)
    first, second = (ask(ticking.work.database, name) for name in ("a", "b"))
    worker = type(ticking.ticker.worker)
    row = worker.row

    def poisoned(self: object, instance_id: str) -> Instance | None:
        if instance_id == first.id:
            raise error
        return row(self, instance_id)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "row", poisoned)
    told = ticking.at(NOW)
    assert any(str(error) in line for line in told)
    monkeypatch.undo()
    assert ticking.states(second) == [State.RUNNING]


def test_a_deadline_that_cannot_be_handled_does_not_hold_up_the_others(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (ticking.running(name, lasts=10 * DAY)[0] for name in "ab")
    ticking.work.stacks.found = None
    handle = due.handle

    def poisoned(session: Session, what: Due, **more: Any) -> bool:
        if what.name == "a":
            raise DatabaseAway("database: away")
        return handle(session, what, **more)

    monkeypatch.setattr(due, "handle", poisoned)
    assert "database: away" in ticking.at(END)
    assert ticking.states(first, second) == [State.RUNNING, State.STOPPED]


def test_hosts_and_who_listens_there_are_looked_at_once_a_minute(ticking: Ticking) -> None:
    for seconds in (0, 15, 59, 60, 75):
        ticking.at(NOW + seconds * SECOND)
    assert ticking.machines.asked == ["app.test"] * 2


def test_a_port_that_somebody_else_took_is_given_to_nobody(ticking: Ticking) -> None:
    ticking.machines.listens["app.test"] = LISTENS.format(port=20000, who="nginx") + LISTENS.format(port=22, who="sshd")
    ticking.at(NOW)
    assert numbers(ask(ticking.work.database)) == [20001, 20002]


def test_a_port_of_an_instance_where_somebody_else_listens_is_told(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop")
    ticking.machines.listens["app.test"] = LISTENS.format(port=20001, who="$(reboot)")
    assert "lab/app: a port of shop: $(reboot) listens there" in ticking.at(NOW)
    with ticking.work.database.read() as session:
        assert session.get_one(Port, ("lab/app", 20001)).taken_by_others
    assert ticking.states(shop) == [State.RUNNING]  # it is left as it is until it has to be made anew


def test_a_host_that_is_not_offered_any_more_takes_nothing_new(ticking: Ticking) -> None:
    ticking.work.places["lab"].hosts = hosts("app", "app2")
    ticking.at(NOW)
    ticking.work.places["lab"].hosts = hosts("app2")
    ticking.at(NOW + 2 * MINUTE)
    with ticking.work.database.read() as session:
        assert {host.host: host.is_open for host in session.query(Host)} == {"app": False, "app2": True}


def test_a_host_that_is_away_stops_neither_other_hosts_nor_the_rest(ticking: Ticking) -> None:
    ticking.work.places["lab"].hosts = hosts("app", "app2")
    ticking.machines.away = {"app.test"}
    shop = ticking.work.asked()
    assert "app.test: no answer" in ticking.at(NOW)
    assert ticking.machines.asked == ["app2.test"] and ticking.states(shop) == [State.RUNNING]


@pytest.mark.parametrize("how", ["away", "nonsense"])
def test_an_environment_that_is_away_or_tells_nonsense_does_not_stop_the_rest(ticking: Ticking, how: str) -> None:
    shop = ticking.work.asked()
    ticking.environments = ("lab", "other")
    ticking.restarted()
    lab = ticking.work.places["lab"]
    ticking.work.places["other"] = type(lab)(hosts=[offer("other/far", address="far.test")])
    if how == "away":
        lab.away = True
    else:
        lab.hosts = [offer(first_port=0)]
    told = ticking.at(NOW)
    assert any("cannot be read" in line or "hosts.lab/app.first_port: 0-20099" in line for line in told)
    assert ticking.machines.asked == ["far.test"] and ticking.states(shop) == [State.RUNNING]


def test_output_of_a_host_that_makes_no_sense_is_told(ticking: Ticking) -> None:
    ticking.machines.listens["app.test"] = "D [1]\n"
    shop = ticking.work.asked()
    told = ticking.at(NOW)
    assert any(line.startswith("app.test: its listeners cannot be read") for line in told)
    assert ticking.states(shop) == [State.RUNNING]


def test_it_runs_until_told_to_end_whatever_goes_wrong(ticking: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, ticks = threading.Event(), list[int]()

    def tick() -> None:
        ticks.append(len(ticks))
        if len(ticks) == 3:
            ended.set()
        raise [DatabaseAway("database: away"), KeyError("x"), OSError("disk full")][len(ticks) - 1]

    monkeypatch.setattr(ticking.ticker, "look", tick)
    ticking.ticker.run(ended, 0.001)
    assert ticking.work.told == ["database: away", "KeyError: 'x'", "OSError: disk full"]
    ticking.ticker.run(ended, 60)  # told before it began
    assert len(ticks) == 3


def test_a_long_piece_of_work_keeps_no_deadline_waiting(ticking: Ticking) -> None:
    free, looked = threading.Event(), list[str]()
    ticking.ticker._give("slow", lambda: looked.append("slow" if free.wait(10) else "never"))
    ticking.running("shop", lasts=10 * DAY)
    ticking.work.now = END - DAY
    ticking.ticker.look()
    assert deadlines(ticking) == ["warn"] and looked == []
    free.set()
    ticking.ticker.tick()
    assert looked == ["slow"]


def test_it_ends_at_once_while_it_waits(ticking: Ticking) -> None:
    ended = threading.Event()
    running = threading.Thread(target=ticking.ticker.run, args=(ended, 600), daemon=True)
    running.start()
    ended.set()
    running.join(10)
    assert not running.is_alive()


def test_one_that_its_owner_stopped_is_stopped_by_its_end_as_well(ticking: Ticking) -> None:
    (shop,) = ticking.running("shop", lasts=10 * DAY)
    ticking.work.database.transact(wishes.stop, "shop", now=NOW, who="ann")
    ticking.at(NOW)
    ticking.at(END)
    found = ticking.row(shop)
    assert (found.state, found.run, found.destroy_after) == (State.STOPPED, Run.STOPPED, END + POLICY.grace)
