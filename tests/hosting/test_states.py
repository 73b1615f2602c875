"""States as workers move them: only along the table, only with the lock, and failures wait longer each time."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from hosting import lock, wishes
from hosting.database import Database
from hosting.errors import BeingDeleted, IllegalMove, LockLost, NotThere
from hosting.events import history
from hosting.model import Instance
from hosting.settle import candidates, todo
from hosting.states import BACKOFF, MOVES, fail, forget, move
from hosting.vocabulary import Run, State, Todo
from tests.hosting.world import DAY, HOSTILE, MINUTE, NOW, QUARANTINE, ask, look, offer, remove, run, take, tell, walk


def put(database: Database, instance: Instance, **values: object) -> None:
    """Behind everybody's back."""
    with database.write() as session:
        row = session.get_one(Instance, instance.id)
        for name, value in values.items():
            setattr(row, name, value)


def test_every_move_of_the_table_is_made_and_every_other_refused(database: Database) -> None:
    tell(database)
    instance = ask(database)
    token = take(database, instance)
    for before, after in itertools.product(State, State):
        put(database, instance, state=before)
        if after in MOVES[before]:
            moved = database.transact(move, instance.id, after, token=token, now=NOW, who="w")
            assert look(database, moved).state is after
        else:
            with pytest.raises(IllegalMove, match=f"state: {before} => {after} of shop, expected "):
                database.transact(move, instance.id, after, token=token, now=NOW, who="w")
            assert look(database, instance).state is before


def test_the_table_leads_from_everywhere_to_running_and_stopped_but_never_back_from_deleting() -> None:
    assert set(MOVES) == set(State) and MOVES[State.DELETING] == frozenset()
    for start in set(State) - {State.DELETING}:
        seen = {start}
        while more := {to for state in seen for to in MOVES[state]} - seen:
            seen |= more
        assert {State.RUNNING, State.STOPPED} <= seen and not seen & ({State.DELETING, State.REQUESTED} - {start})


def test_a_worker_whose_lock_has_ended_writes_nothing_more(database: Database) -> None:
    tell(database)
    instance = ask(database)
    token = take(database, instance)
    late = NOW + 2 * MINUTE
    with pytest.raises(LockLost, match=r"token: 1 of shop \(it has ended\)"):
        database.transact(move, instance.id, State.CREATING, token=token, now=late, who="w")
    other = take(database, instance, now=late, holder="other")
    with pytest.raises(LockLost, match=r"token: 1 of shop \(other holds it\)"):
        database.transact(fail, instance.id, "x", token=token, now=late, who="w")
    database.transact(wishes.delete, "shop", now=late, who="ann")
    with pytest.raises(LockLost):
        database.transact(forget, instance.id, token=token, now=late, quarantine=QUARANTINE, who="w")
    assert look(database, instance).state is State.DELETING and other == 2


def test_a_lock_is_one_workers_and_ends_by_itself(database: Database) -> None:
    tell(database)
    instance = ask(database)
    token = take(database, instance)
    assert database.transact(lock.take, instance.id, "other", now=NOW, for_s=60) is None
    database.transact(lock.renew, instance.id, token, now=NOW + timedelta(seconds=59), for_s=60)
    assert database.transact(lock.take, instance.id, "other", now=NOW + timedelta(seconds=61), for_s=60) is None
    with pytest.raises(LockLost):
        database.transact(lock.renew, instance.id, token, now=NOW + timedelta(seconds=119), for_s=60)
    later = database.transact(lock.take, instance.id, "other", now=NOW + timedelta(seconds=119), for_s=60)
    assert later == token + 1
    assert not database.transact(lock.give_back, instance.id, token, now=NOW)
    assert database.transact(lock.take, instance.id, "third", now=NOW + timedelta(seconds=120), for_s=60) is None
    assert database.transact(lock.give_back, instance.id, later, now=NOW)
    assert database.transact(lock.take, instance.id, "third", now=NOW + timedelta(seconds=120), for_s=60) == later + 1


def test_a_token_that_was_given_back_is_of_no_use(database: Database) -> None:
    tell(database)
    instance = ask(database)
    token = take(database, instance)
    database.transact(lock.give_back, instance.id, token, now=NOW)
    with pytest.raises(LockLost):
        database.transact(move, instance.id, State.CREATING, token=token, now=NOW, who="w")


def test_failures_wait_longer_each_time_and_success_forgets_them(database: Database) -> None:
    tell(database)
    instance, now, waits = ask(database), NOW, []
    for _ in range(7):
        token = take(database, instance, now=now)
        database.transact(move, instance.id, State.CREATING, token=token, now=now, who="w")
        failed = database.transact(fail, instance.id, "no registry", token=token, now=now, who="w")
        database.transact(lock.give_back, instance.id, token, now=now)
        assert failed.retry_at is not None and (failed.state, failed.why) == (State.FAILED, "no registry")
        waits.append(failed.retry_at - now)
        with database.read() as session:
            assert candidates(session, now=failed.retry_at - timedelta(seconds=1), limit=9) == []
            assert [found.id for found in candidates(session, now=failed.retry_at, limit=9)] == [instance.id]
        now = failed.retry_at
    assert waits == [*BACKOFF, BACKOFF[-1], BACKOFF[-1]]
    runs = walk(database, instance, State.CREATING, State.RUNNING, now=now)
    assert (runs.why, runs.attempts, runs.retry_at, runs.made) == ("", 0, None, 1)


@pytest.mark.parametrize("text", [*HOSTILE, "nul \x00 and half \ud800", "long " * 5000])
def test_a_hostile_reason_is_kept_as_text(database: Database, text: str) -> None:
    tell(database)
    instance = ask(database)
    database.transact(fail, instance.id, text, token=take(database, instance), now=NOW, who=text)
    why = look(database, instance).why
    assert len(why) <= 2000 and "\x00" not in why
    assert why == text or "\N{REPLACEMENT CHARACTER}" in why or why.endswith("…")
    with database.read() as session:
        assert history(session, "shop")[0].text == why


def test_a_delete_that_fails_goes_on_being_one_and_forgets_all_at_last(database: Database) -> None:
    tell(database)
    instance = run(database)
    database.transact(wishes.delete, "shop", now=NOW, who="ann", keep_volumes=True)
    token = take(database, instance)
    failed = database.transact(fail, instance.id, "Portainer away", token=token, now=NOW, who="w")
    assert (failed.state, failed.keep_volumes, failed.why) == (State.DELETING, True, "Portainer away")
    database.transact(lock.give_back, instance.id, token, now=NOW)
    remove(database, instance, now=NOW + MINUTE)
    with pytest.raises(NotThere), database.write() as session:
        wishes.stop(session, "shop", now=NOW, who="ann")
    with database.read() as session:
        whats = [event.what for event in history(session, "shop")]
    assert whats == ["deleted", "deleting", "deleting", "running", "creating", "requested"]


def test_only_what_is_deleted_is_forgotten(database: Database) -> None:
    tell(database)
    instance = run(database)
    with pytest.raises(IllegalMove, match="state: running of shop, expected deleting"):
        remove(database, instance)


def test_a_delete_in_the_middle_of_a_creation_is_not_undone_by_its_worker(database: Database) -> None:
    tell(database)
    instance = ask(database)
    token = take(database, instance)
    database.transact(move, instance.id, State.CREATING, token=token, now=NOW, who="w")
    database.transact(wishes.delete, "shop", now=NOW, who="ann")
    with pytest.raises(IllegalMove, match="deleting => running of shop, expected none"):
        database.transact(move, instance.id, State.RUNNING, token=token, now=NOW, who="w")


def test_what_is_to_be_done_is_the_same_in_python_and_in_sql(database: Database) -> None:
    tell(database)
    instance = ask(database)
    for state, run_, made in itertools.product(State, Run, (0, 1)):
        put(database, instance, state=state, run=run_, made=made)
        with database.read() as session:
            found = bool(candidates(session, now=NOW, limit=9))
        assert found == (todo(look(database, instance)) is not None), (state, run_, made)


@pytest.mark.parametrize(
    ("state", "wanted", "made", "expected"),
    [
        (State.REQUESTED, Run.STARTED, 0, Todo.CREATE),
        (State.REQUESTED, Run.STOPPED, 0, Todo.STOP),
        (State.CREATING, Run.STARTED, 0, Todo.CREATE),
        (State.RUNNING, Run.STARTED, 1, None),
        (State.RUNNING, Run.STARTED, 0, Todo.CREATE),
        (State.RUNNING, Run.STOPPED, 1, Todo.STOP),
        (State.STOPPED, Run.STOPPED, 0, None),
        (State.STOPPED, Run.STARTED, 1, Todo.START),
        (State.STOPPED, Run.STARTED, 0, Todo.CREATE),
        (State.STARTING, Run.STARTED, 1, Todo.START),
        (State.STOPPING, Run.STOPPED, 1, Todo.STOP),
        (State.FAILED, Run.STARTED, 1, Todo.START),
        (State.FAILED, Run.STOPPED, 1, Todo.STOP),
        (State.DELETING, Run.STOPPED, 1, Todo.DELETE),
    ],
)
def test_what_is_to_be_done_follows_from_state_and_wish(
    state: State, wanted: Run, made: int, expected: Todo | None
) -> None:
    assert todo(Instance(state=state, run=wanted, made=made, generation=1)) is expected


def test_candidates_are_those_nobody_holds_the_longest_waiting_first(database: Database) -> None:
    tell(database, offer())
    first, second, third = (ask(database, name, now=NOW + index * MINUTE) for index, name in enumerate("cab"))
    run(database, "runs")
    take(database, second, now=NOW + 5 * MINUTE)
    with database.read() as session:
        now = NOW + 5 * MINUTE
        assert [found.id for found in candidates(session, now=now, limit=9)] == [first.id, third.id]
        assert [found.id for found in candidates(session, now=now, limit=1)] == [first.id]
        assert len(candidates(session, now=now + 2 * MINUTE, limit=9)) == 3  # its worker died


def test_a_wait_set_before_the_clock_went_back_is_over(database: Database) -> None:
    tell(database)
    instance = ask(database)
    put(database, instance, retry_at=NOW + 400 * DAY)
    with database.read() as session:
        assert len(candidates(session, now=NOW, limit=9)) == 1


def test_nothing_is_wanted_of_one_that_goes(database: Database) -> None:
    tell(database)
    ask(database)
    database.transact(wishes.delete, "shop", now=NOW, who="ann")
    for wish in (wishes.stop, wishes.start):
        with pytest.raises(BeingDeleted, match="'shop' is being deleted"):
            database.transact(wish, "shop", now=NOW, who="ann")
