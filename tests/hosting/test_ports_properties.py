"""Whatever is asked for, deleted, found listening: ports and memory are never given twice, and all comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from hosting import wishes
from hosting.database import Database, open_database
from hosting.errors import NoRoom
from hosting.model import Host, Instance, Port
from hosting.ports import reallocate
from hosting.reconcile import reconcile
from hosting.room import Need, lowest_free, place, rooms
from tests.hosting.world import MINUTE, NOW, QUARANTINE, Url, ask, numbers, offer, remove, take, tell

FIRST, LAST, MEMORY, NETWORKS = 20000, 20007, 1000, 4
HOSTS = ("lab/a", "lab/b")
NAMES = ("web", "websocket", "mail")


class Hosting(RuleBasedStateMachine):
    """Two small hosts, and what a reader of the documentation would expect of them."""

    instances: Bundle[Instance] = Bundle("instances")

    def __init__(self, url: str) -> None:
        super().__init__()
        self.database: Database = open_database(url)
        self.now: datetime = NOW
        self.count = 0
        self.free_at: dict[tuple[str, int], datetime] = {}
        self.others: dict[str, set[int]] = {host: set() for host in HOSTS}
        tell(self.database, *(_offer(host) for host in HOSTS))

    def teardown(self) -> None:
        for instance in self.held():
            if instance.state != "deleting":
                self.database.transact(wishes.delete, instance.name, now=self.now, who="ann")
            remove(self.database, instance, now=self.now)
        for host in HOSTS:
            self.database.transact(reconcile, host, {}, now=self.now + QUARANTINE, quarantine=QUARANTINE)
        with self.database.read() as session:
            assert session.query(Port).count() == session.query(Instance).count() == 0
        self.database.close()

    @rule(target=instances, ports=st.integers(0, 3), memory=st.integers(1, 600))
    def request(self, ports: int, memory: int) -> Any:
        self.count += 1
        with self.database.write() as session:
            found = rooms(session, session.scalars(select(Host)).all(), self.now)
        fitting = place(found, Need(memory_mib=memory, networks=1, ports=ports))
        try:
            made = ask(self.database, f"i{self.count}", now=self.now, memory_mib=memory, port_names=NAMES[:ports])
        except NoRoom:
            assert fitting is None
            return multiple()
        assert fitting is not None and made.host == fitting.host
        self.given(made)
        return made

    @rule(instance=instances)
    def other_ports(self, instance: Instance) -> None:
        before = numbers(instance)
        token = take(self.database, instance, now=self.now)
        content: Any = {"token": token, "now": self.now, "quarantine": QUARANTINE, "who": "worker"}
        try:
            after = self.database.transact(reallocate, instance.id, **content)
        except NoRoom:
            after = None
        if after is not None:
            self.given(after)
            self.released(instance.host, before)
            instance.__dict__["ports"] = after.ports
        self.now += 2 * MINUTE  # its lock ends

    @rule(instance=consumes(instances))
    def delete(self, instance: Instance) -> None:
        self.database.transact(wishes.delete, instance.name, now=self.now, who="ann")
        remove(self.database, instance, now=self.now)
        self.released(instance.host, numbers(instance))

    @rule(host=st.sampled_from(HOSTS), others=st.sets(st.integers(FIRST - 1, LAST + 1), max_size=4))
    def look(self, host: str, others: set[int]) -> None:
        leased = {number for instance in self.held() if instance.host == host for number in numbers(instance)}
        listeners = dict.fromkeys(others - leased, "somebody else")
        found = self.database.transact(reconcile, host, listeners, now=self.now, quarantine=QUARANTINE)
        assert (found.leaked, found.without, found.lacking, found.disputed) == ([], [], [], {})
        self.others[host] = set(listeners)

    @rule(minutes=st.integers(1, 12))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @invariant()
    def nothing_is_given_twice(self) -> None:
        found = self.held()
        leased = [(instance.host, number) for instance in found for number in numbers(instance)]
        assert len(leased) == len(set(leased)) and all(FIRST <= number <= LAST for _, number in leased)
        for instance in found:
            mine = numbers(instance)
            assert [port.name for port in instance.ports] == instance.port_names
            assert mine == list(range(mine[0], mine[0] + len(mine))) if mine else not instance.port_names
        for host in HOSTS:
            here = [instance for instance in found if instance.host == host]
            assert sum(instance.memory_mib for instance in here) <= MEMORY and len(here) <= NETWORKS

    def given(self, instance: Instance) -> None:
        """At this very moment nobody else had a claim."""
        for number in numbers(instance):
            assert self.free_at.get((instance.host, number), NOW) <= self.now
            assert number not in self.others[instance.host]

    def released(self, host: str, ports: list[int]) -> None:
        self.free_at |= {(host, number): self.now + QUARANTINE for number in ports}

    def held(self) -> list[Instance]:
        with self.database.read() as session:
            return session.query(Instance).all()


def test_ports_and_room_hold_in_any_order(new_url: Url, kind: str) -> None:
    quick = settings(
        max_examples={"sqlite": 25, "postgresql": 12}[kind],
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(cast("type[Hosting]", lambda: Hosting(new_url())), settings=quick)


@given(st.sets(st.integers(0, 12)), st.integers(0, 4), st.integers(0, 4), st.integers(4, 12))
def test_the_lowest_free_neighbours_are_what_a_plain_search_finds(
    used: set[int], count: int, first: int, last: int
) -> None:
    plain = next(
        (
            range(start, start + count)
            for start in range(first, last - count + 2)
            if not used & set(range(start, start + count))
        ),
        None,
    )
    assert lowest_free(first, last, used, count) == plain


def _offer(name: str) -> Any:
    return offer(name, first_port=FIRST, last_port=LAST, memory_mib=MEMORY, networks=NETWORKS)
