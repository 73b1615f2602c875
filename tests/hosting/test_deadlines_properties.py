"""However extensions, looks, late writes and work follow one another: what has time left is never stopped."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from hosting.database import open_database
from hosting.deadlines import Policy
from hosting.due import Due, due, handle
from hosting.errors import BeingDeleted
from hosting.events import history
from hosting.extend import extend
from hosting.model import Instance
from hosting.settle import todo
from hosting.vocabulary import Run, State, Todo
from tests.hosting.world import DAY, HOUR, NOW, Url, look, run, tell, walk

POLICY = Policy(warn_before=DAY, grace=2 * DAY, backup_before=DAY)


class Deadline(RuleBasedStateMachine):
    """One instance; what was found due may be written long after, or never."""

    found: Bundle[Due] = Bundle("found")

    def __init__(self, url: str) -> None:
        super().__init__()
        self.database = open_database(url)
        self.now = NOW
        tell(self.database)
        self.instance = run(self.database, lasts=2 * DAY)

    def teardown(self) -> None:
        with self.database.read() as session:
            told = Counter((event.what, event.text) for event in history(session, "shop", limit=1000))
        once = {key: count for key, count in told.items() if key[0] in ("deadline: warn", "deadline: stop")}
        assert set(once.values()) <= {1}
        self.database.close()

    @rule(target=found, is_held=st.booleans())
    def look_for_what_is_due(self, is_held: bool) -> Any:
        with self.database.read() as session:
            return multiple(*due(session, now=self.now, policy=POLICY, cap=5, is_held=is_held))

    @rule(what=found)
    def write(self, what: Due) -> None:
        before = self.row()
        is_done = self.database.transact(handle, what, now=self.now, policy=POLICY, who="ticker")
        assert not is_done or what.deadline == before.deadline
        if is_done and what.action in ("stop", "destroy"):
            assert before.deadline is not None and self.now >= before.deadline
        if is_done and what.action == "destroy":
            assert before.destroy_after is not None and self.now >= before.destroy_after
            assert before.backed_up_at is not None and before.state is State.STOPPED

    @rule(days=st.integers(1, 3))
    def extend(self, days: int) -> None:
        try:
            extended = self.database.transact(extend, "shop", by=days * DAY, now=self.now, who="ann", max_days=365)
        except BeingDeleted:
            assert self.row().state is State.DELETING
            return
        assert extended.run is Run.STARTED and extended.deadline is not None and extended.deadline > self.now

    @rule()
    def work(self) -> None:
        what = todo(self.row())
        if what in (Todo.START, Todo.STOP):
            states = (State.STARTING, State.RUNNING) if what is Todo.START else (State.STOPPING, State.STOPPED)
            walk(self.database, self.instance, *states, now=self.now)

    @rule(hours=st.sampled_from([1, 12, 24, 72, -6]))
    def wait(self, hours: int) -> None:
        self.now += hours * HOUR

    @invariant()
    def with_time_left_it_shall_run(self) -> None:
        row = self.row()
        assert row.deadline is not None
        if row.expired_for != row.deadline:
            assert row.run is Run.STARTED and row.state is not State.DELETING
            assert row.destroy_after is None

    def row(self) -> Instance:
        return look(self.database, self.instance)


def test_an_extended_one_is_never_stopped_in_any_order(new_url: Url, kind: str) -> None:
    quick = settings(
        max_examples={"sqlite": 30, "postgresql": 12}[kind],
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(cast("type[Deadline]", lambda: Deadline(new_url())), settings=quick)
