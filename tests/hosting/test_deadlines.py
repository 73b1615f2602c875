"""Deadlines: each thing once, the missed ones by their last, never more stops at once than the cap."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hosting import wishes
from hosting.database import Database
from hosting.deadlines import Policy, action
from hosting.due import Due, due, handle
from hosting.extend import extend
from hosting.model import Instance
from hosting.settle import todo
from hosting.vocabulary import Action, Run, State, Todo
from tests.hosting.world import DAY, HOUR, MINUTE, NOW, ask, look, offer, run, tell, walk

POLICY = Policy(warn_before=3 * DAY, grace=7 * DAY, backup_before=DAY)
END = NOW + 10 * DAY


def asked(database: Database, now: datetime, *, cap: int = 9, is_held: bool = False) -> list[Due]:
    with database.read() as session:
        return due(session, now=now, policy=POLICY, cap=cap, is_held=is_held)


def tick(database: Database, now: datetime, *, cap: int = 9) -> list[Action]:
    """All of it carried out."""
    found = asked(database, now, cap=cap)
    assert all(database.transact(handle, what, now=now, policy=POLICY, who="ticker") for what in found)
    return [what.action for what in found]


def row(**other: object) -> Instance:
    content = {"state": State.RUNNING, "run": Run.STARTED, "deadline": END, "made": 1, "generation": 1}
    return Instance(**(content | other))


@pytest.mark.parametrize(
    ("other", "now", "expected"),
    [
        ({}, END - 3 * DAY - MINUTE, None),
        ({}, END - 3 * DAY, Action.WARN),
        ({"warned_for": END}, END - MINUTE, None),
        ({"warned_for": END - DAY}, END - MINUTE, Action.WARN),  # of the deadline before
        ({"deadline": None}, END + 900 * DAY, None),
        ({}, END, Action.STOP),
        ({}, END + 900 * DAY, Action.STOP),  # no late warning, no destroy without its grace
        ({"state": State.DELETING}, END, None),
        ({"expired_for": END - DAY}, END, Action.STOP),  # extended after an earlier expiry
        ({"expired_for": END, "destroy_after": END + 7 * DAY, "state": State.STOPPING}, END + 99 * DAY, None),
        ({"expired_for": END, "destroy_after": END + 7 * DAY, "state": State.STOPPED}, END + 5 * DAY, None),
        (
            {"expired_for": END, "destroy_after": END + 7 * DAY, "state": State.STOPPED},
            END + 6 * DAY,
            Action.FINAL_BACKUP,
        ),
        (
            {"expired_for": END, "destroy_after": END + 7 * DAY, "state": State.STOPPED},
            END + 99 * DAY,
            Action.FINAL_BACKUP,
        ),
        (
            {"expired_for": END, "destroy_after": END + 7 * DAY, "state": State.STOPPED, "backed_up_at": END + 6 * DAY},
            END + 7 * DAY - MINUTE,
            None,
        ),
        (
            {"expired_for": END, "destroy_after": END + 7 * DAY, "state": State.STOPPED, "backed_up_at": END + 6 * DAY},
            END + 7 * DAY,
            Action.DESTROY,
        ),
        (
            {"expired_for": END, "destroy_after": END + 7 * DAY, "state": State.FAILED, "made": 0},
            END + 7 * DAY,
            Action.DESTROY,
        ),
    ],
)
def test_what_is_due_follows_from_the_row_and_the_time(
    other: dict[str, object], now: datetime, expected: Action | None
) -> None:
    assert action(row(**other), POLICY, now) is expected


def test_without_the_need_of_a_backup_the_grace_alone_counts() -> None:
    gone = row(expired_for=END, destroy_after=END + DAY, state=State.STOPPED)
    assert action(gone, Policy(needs_backup=False), END + DAY) is Action.DESTROY


def test_a_life_to_its_end_each_thing_exactly_once(database: Database) -> None:
    tell(database)
    instance = run(database, lasts=10 * DAY)
    seen = []
    for hour in range(0, 20 * 24, 6):
        now = NOW + hour * HOUR
        seen += [(what, hour // 24) for what in tick(database, now)]
        if todo(look(database, instance)) is Todo.STOP:
            walk(database, instance, State.STOPPING, State.STOPPED, now=now)
    assert seen == [(Action.WARN, 7), (Action.STOP, 10), (Action.FINAL_BACKUP, 16), (Action.DESTROY, 17)]
    assert look(database, instance).state is State.DELETING


def test_one_that_was_missed_is_stopped_once_with_all_of_its_grace_and_without_a_late_warning(
    database: Database,
) -> None:
    tell(database)
    instance = run(database, lasts=10 * DAY)
    late = END + 30 * DAY
    assert tick(database, late) == [Action.STOP]
    walk(database, instance, State.STOPPING, State.STOPPED, now=late)
    assert tick(database, late) == [] and look(database, instance).destroy_after == late + 7 * DAY


def test_stops_are_capped_the_oldest_deadline_first(database: Database) -> None:
    tell(database, offer(memory_mib=99_999))
    for index, name in enumerate("ecadb"):
        ask(database, name, lasts=(index + 1) * HOUR)
    now = NOW + DAY
    assert [[what.name for what in asked(database, now, cap=2)], tick(database, now, cap=2)] == [
        ["e", "c"],
        [Action.STOP, Action.STOP],
    ]
    assert [what.name for what in asked(database, now, cap=2)] == ["a", "d"]
    assert len(tick(database, now, cap=2) + tick(database, now, cap=2)) == 3 and tick(database, now) == []


def test_warnings_go_out_while_stops_are_held(database: Database) -> None:
    tell(database)
    ask(database, "late", lasts=DAY)
    ask(database, "near", lasts=4 * DAY)
    found = asked(database, NOW + 2 * DAY, is_held=True)
    assert [(what.name, what.action) for what in found] == [("near", Action.WARN)]


def test_many_warnings_are_not_capped_and_do_not_hide_a_stop(database: Database) -> None:
    tell(database)
    for name in "abc":
        ask(database, name, lasts=5 * DAY)
    ask(database, "stop", lasts=3 * DAY)
    assert [what.action for what in asked(database, NOW + 4 * DAY, cap=1)] == [Action.STOP, *[Action.WARN] * 3]


def test_an_extension_before_the_stop_is_written_wins(database: Database) -> None:
    tell(database)
    instance = run(database, lasts=DAY)
    (stop,) = asked(database, NOW + DAY)
    database.transact(extend, "shop", by=DAY, now=NOW + DAY, who="ann", max_days=90)
    assert not database.transact(handle, stop, now=NOW + DAY, policy=POLICY, who="ticker")
    kept = look(database, instance)
    assert (kept.run, kept.expired_for, todo(kept)) == (Run.STARTED, None, None)


def test_a_warning_of_the_deadline_before_is_none_of_the_next(database: Database) -> None:
    tell(database)
    run(database, lasts=DAY)
    (warning,) = asked(database, NOW)
    database.transact(extend, "shop", by=DAY, now=NOW, who="ann", max_days=90)
    assert not database.transact(handle, warning, now=NOW, policy=POLICY, who="ticker")
    assert [(what.action, what.deadline) for what in asked(database, NOW)] == [(Action.WARN, NOW + 2 * DAY)]


def test_an_extension_in_the_grace_wins_over_a_destroy_that_is_not_written(database: Database) -> None:
    tell(database)
    instance = run(database, lasts=DAY)
    now = NOW + DAY
    tick(database, now)
    walk(database, instance, State.STOPPING, State.STOPPED, now=now)
    assert tick(database, now + 7 * DAY) == [Action.FINAL_BACKUP]
    (destroy,) = asked(database, now + 7 * DAY)
    database.transact(extend, "shop", by=DAY, now=now + 7 * DAY, who="ann", max_days=90)
    assert not database.transact(handle, destroy, now=now + 7 * DAY, policy=POLICY, who="ticker")
    assert look(database, instance).state is State.STOPPED


def test_a_backup_of_an_earlier_expiry_does_not_count_for_the_next(database: Database) -> None:
    tell(database)
    instance = run(database, lasts=DAY)
    now = NOW + DAY
    tick(database, now)
    walk(database, instance, State.STOPPING, State.STOPPED, now=now)
    tick(database, now + 6 * DAY)
    database.transact(extend, "shop", by=DAY, now=now + 6 * DAY, who="ann", max_days=90)
    walk(database, instance, State.STARTING, State.RUNNING, now=now + 6 * DAY)
    tick(database, now + 8 * DAY)
    assert look(database, instance).backed_up_at is None


def test_what_two_tickers_found_is_written_once(database: Database) -> None:
    tell(database)
    ask(database, lasts=DAY)
    one, other = asked(database, NOW + DAY), asked(database, NOW + DAY)
    assert [database.transact(handle, what, now=NOW + DAY, policy=POLICY, who="ticker") for what in [*one, *other]] == [
        True,
        False,
    ]


def test_what_was_not_written_before_a_crash_is_due_again(database: Database) -> None:
    tell(database)
    ask(database, lasts=DAY)
    assert asked(database, NOW + DAY) == asked(database, NOW + DAY + MINUTE) != []


def test_what_is_gone_needs_nothing_more(database: Database) -> None:
    tell(database)
    run(database, lasts=DAY)
    (stop,) = asked(database, NOW + DAY)
    database.transact(wishes.delete, "shop", now=NOW + DAY, who="ann")
    assert not database.transact(handle, stop, now=NOW + DAY, policy=POLICY, who="ticker")
    assert asked(database, NOW + 99 * DAY) == []


def test_a_clock_that_goes_back_repeats_nothing(database: Database) -> None:
    tell(database)
    run(database, lasts=10 * DAY)
    assert tick(database, NOW + 8 * DAY) == [Action.WARN]
    assert [tick(database, NOW + days * DAY) for days in (0, 7, 8, 9)] == [[], [], [], []]
    assert tick(database, END) == [Action.STOP]
    assert [tick(database, END + timedelta(days=days)) for days in (-3, -1, 0, 1)] == [[], [], [], []]
