"""What people want: kept at once, refused where it cannot be, and of no effect where it is so already."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from hosting import wishes
from hosting.database import Database
from hosting.deadlines import Policy
from hosting.due import due, handle
from hosting.errors import DemandRefused, Expired, ExtensionRefused, NoRoom, NotThere
from hosting.events import history
from hosting.extend import extend
from hosting.model import Instance
from hosting.settle import todo
from hosting.states import fail
from hosting.vocabulary import Action, Run, State, Todo
from tests.hosting.world import DAY, HOUR, MINUTE, NOW, ask, look, offer, run, take, tell, walk

POLICY = Policy()


def whats(database: Database) -> list[str]:
    with database.read() as session:
        return [event.what for event in history(session, "shop")]


def expire(database: Database, instance: Instance, *, now: datetime) -> bool:
    with database.read() as session:
        (stop,) = [found for found in due(session, now=now, policy=POLICY, cap=9) if found.action is Action.STOP]
    return database.transact(handle, stop, now=now, policy=POLICY, who="ticker")


def test_stop_and_start_are_wishes_that_count_once(database: Database) -> None:
    tell(database)
    run(database)
    before = len(whats(database))
    for _ in range(2):
        stopped = database.transact(wishes.stop, "shop", now=NOW, who="ann")
        assert (stopped.run, todo(stopped)) == (Run.STOPPED, Todo.STOP)
    for _ in range(2):
        assert todo(database.transact(wishes.start, "shop", now=NOW, who="ann")) is None
    assert whats(database)[: len(whats(database)) - before] == ["start", "stop"]


def test_asking_again_ends_the_wait_after_a_failure(database: Database) -> None:
    tell(database)
    instance = ask(database)
    database.transact(fail, instance.id, "x", token=take(database, instance), now=NOW, who="w")
    asked = database.transact(wishes.start, "shop", now=NOW + MINUTE, who="ann")
    assert (asked.retry_at, asked.attempts, asked.why, asked.state) == (None, 0, "", State.FAILED)


def test_one_that_is_not_there_is_told_so(database: Database) -> None:
    for operation in (wishes.stop, wishes.start, wishes.delete):
        with pytest.raises(NotThere, match=r"instance: '\$\(reboot\)', expected one that is there; list them"):
            database.transact(operation, "$(reboot)", now=NOW, who="ann")
    with pytest.raises(NotThere):
        database.transact(wishes.resize, "shop", size="big", memory_mib=5, now=NOW, who="ann")


def test_a_resize_is_made_anew_when_there_is_room_for_it(database: Database) -> None:
    tell(database, offer(memory_mib=1200))
    instance = run(database)
    ask(database, "other")
    with pytest.raises(NoRoom, match=r"size: big for shop: 488 MiB more, 176 of 1200 MiB free on lab/app"):
        database.transact(wishes.resize, "shop", size="big", memory_mib=1000, now=NOW, who="ann")
    assert look(database, instance).generation == 1
    bigger = database.transact(wishes.resize, "shop", size="big", memory_mib=688, now=NOW, who="ann")
    assert (bigger.size, bigger.memory_mib, bigger.version, todo(bigger)) == ("big", 688, "17.0", Todo.CREATE)
    made = walk(database, bigger, State.CREATING, State.RUNNING)
    assert todo(made) is None and made.made == 2


def test_a_smaller_size_fits_on_a_host_that_is_full_or_closed(database: Database) -> None:
    tell(database, offer(memory_mib=600))
    run(database)
    tell(database, offer(memory_mib=10, is_open=False))
    smaller = database.transact(
        wishes.resize, "shop", size="s", memory_mib=500, version="18.0", settings={"a": 1}, now=NOW, who="ann"
    )
    assert (smaller.version, smaller.settings, smaller.memory_mib) == ("18.0", {"a": 1}, 500)


@pytest.mark.parametrize(
    "other", [{"size": "$(reboot)"}, {"memory_mib": 0}, {"settings": {"a": "\x00"}}, {"version": ""}]
)
def test_a_size_that_cannot_be_is_refused(database: Database, other: dict[str, Any]) -> None:
    tell(database)
    run(database)
    with pytest.raises(DemandRefused, match=f"^{next(iter(other))}: "):
        content: dict[str, Any] = {"size": "s", "memory_mib": 5} | other
        database.transact(wishes.resize, "shop", **content, now=NOW, who="ann")


def test_a_change_during_a_creation_is_made_after_it(database: Database) -> None:
    tell(database)
    instance = ask(database)
    database.transact(wishes.resize, "shop", size="big", memory_mib=600, now=NOW, who="ann")
    made = walk(database, instance, State.CREATING, State.RUNNING)  # by a worker that read the row before
    assert (made.generation, made.made, todo(made)) == (2, 1, Todo.CREATE)


def test_a_deadline_moves_by_days_or_to_a_moment_and_is_not_warned_of_before_it_is_near_again(
    database: Database,
) -> None:
    tell(database)
    instance = run(database)
    near = NOW + 28 * DAY
    with database.read() as session:
        (warning,) = due(session, now=near, policy=POLICY, cap=9)
    assert database.transact(handle, warning, now=near, policy=POLICY, who="ticker")
    more = database.transact(extend, "shop", by=7 * DAY, now=near, who="ann", max_days=90)
    assert more.deadline == NOW + 37 * DAY
    more = database.transact(extend, "shop", until=NOW + 60 * DAY, now=near, who="ann", max_days=90)
    assert more.deadline == NOW + 60 * DAY
    with database.read() as session:
        assert due(session, now=NOW + 56 * DAY, policy=POLICY, cap=9) == []
        (again,) = due(session, now=NOW + 57 * DAY, policy=POLICY, cap=9)
    assert (again.action, again.instance) == (Action.WARN, instance.id)


def test_one_that_expired_runs_again_once_extended(database: Database) -> None:
    tell(database)
    instance = run(database, lasts=DAY)
    late = NOW + 3 * DAY
    assert expire(database, instance, now=late)
    stopped = walk(database, instance, State.STOPPING, State.STOPPED, now=late)
    assert todo(stopped) is None and stopped.destroy_after == late + POLICY.grace
    with pytest.raises(Expired, match="has passed, expected one ahead; extend it"):
        database.transact(wishes.start, "shop", now=late, who="ann")
    back = database.transact(extend, "shop", by=2 * DAY, now=late, who="ann", max_days=90)
    assert (back.deadline, back.run, back.destroy_after, todo(back)) == (late + 2 * DAY, Run.STARTED, None, Todo.START)


def test_one_that_its_owner_stopped_before_stays_stopped_when_extended_in_time(database: Database) -> None:
    tell(database)
    run(database)
    database.transact(wishes.stop, "shop", now=NOW, who="ann")
    more = database.transact(extend, "shop", by=DAY, now=NOW + HOUR, who="ann", max_days=90)
    assert more.run is Run.STOPPED


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "expected exactly one of them"),
        ({"until": NOW + 2 * DAY, "by": DAY}, "expected exactly one of them"),
        ({"until": NOW}, "until: 2026-11-26 12:00:00+00:00, expected after 2026-12-26 12:00 UTC"),
        ({"until": datetime.max.replace(tzinfo=timezone(-12 * HOUR))}, "at most 90 days from now"),
        ({"until": datetime.min.replace(tzinfo=timezone(12 * HOUR))}, "expected after"),
        ({"until": NOW + 30 * DAY}, "expected after"),
        ({"until": NOW + 91 * DAY}, "at most 90 days from now (2027-02-24 12:00 UTC)"),
        ({"until": (NOW + 40 * DAY).replace(tzinfo=None)}, "expected a time with its zone"),
        ({"by": 61 * DAY}, "at most 90 days from now"),
        ({"by": timedelta(0)}, "expected after"),
        ({"by": -DAY}, "expected after"),
        ({"by": timedelta.max}, "by: 999999999 days"),
        ({"by": timedelta.min}, "expected after"),
    ],
)
def test_a_time_that_the_deadline_may_not_be_is_refused(
    database: Database, asked: dict[str, Any], message: str
) -> None:
    tell(database)
    instance = ask(database)
    with pytest.raises(ExtensionRefused) as caught:
        database.transact(extend, "shop", **asked, now=NOW, who="ann", max_days=90)
    assert message in str(caught.value)
    assert look(database, instance).deadline == instance.deadline


def test_a_time_of_another_zone_is_kept_and_told_in_utc(database: Database) -> None:
    tell(database)
    ask(database)
    until = (NOW + 40 * DAY).astimezone(timezone(5 * HOUR))
    assert str(database.transact(extend, "shop", until=until, now=NOW, who="ann", max_days=90).deadline) == (
        "2027-01-05 12:00:00+00:00"
    )
    with database.read() as session:
        assert history(session, "shop")[0].text == "2026-12-26 12:00 UTC => 2027-01-05 12:00 UTC"


def test_what_has_no_deadline_cannot_be_extended(database: Database) -> None:
    tell(database)
    ask(database, lasts=None)
    with pytest.raises(ExtensionRefused, match="shop has none"):
        database.transact(extend, "shop", by=DAY, now=NOW, who="ann", max_days=90)


def test_a_moment_without_its_zone_never_reaches_the_database(database: Database) -> None:
    tell(database)
    with pytest.raises(Exception, match="expected one with its zone"):
        ask(database, now=NOW.replace(tzinfo=None))
