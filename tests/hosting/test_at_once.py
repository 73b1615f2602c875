"""Many at once: none collide, none get more than there is, and of two who cannot both win exactly one does."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from hosting import lock, wishes
from hosting.database import Database, open_database
from hosting.deadlines import Policy
from hosting.due import due, handle
from hosting.extend import extend
from hosting.listing import listing
from hosting.model import Host, Port
from hosting.request import request
from hosting.room import rooms
from hosting.vocabulary import Run
from tests.hosting.crowd import FORKED, ask_at_once
from tests.hosting.world import DAY, NOW, ask, demand, look, numbers, offer, remove, run, tell


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """Each in a thread, let go together; an exception is an answer."""
    barrier, answers = threading.Barrier(len(work)), [None] * len(work)

    def one(index: int) -> None:
        barrier.wait(30)
        try:
            answers[index] = work[index]()
        except Exception as error:
            answers[index] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_fifty_requests_from_five_processes_never_collide(database: Database, url: str) -> None:
    tell(database, offer("lab/a", memory_mib=20 * 512), offer("lab/b", memory_mib=30 * 512, networks=40))
    told = ask_at_once(url, [{"name": f"shop-{index}"} for index in range(50)], processes=5)
    assert [cause for _, cause in told if cause] == [] and len({found for found, _ in told}) == 50
    with database.read() as session:
        found = listing(session, now=NOW)
        ports = session.execute(select(Port.host, Port.number)).all()
    assert Counter(instance.host for instance in found) == {"lab/a": 20, "lab/b": 30}
    assert len(set(ports)) == 100
    assert all(instance.ports["websocket"] == instance.ports["web"] + 1 for instance in found)


def test_more_requests_than_there_is_room_for_get_exactly_what_there_is(database: Database, url: str) -> None:
    tell(database, offer("lab/a", memory_mib=8 * 512 + 511), offer("lab/b", last_port=20006, memory_mib=99_999))
    told = ask_at_once(url, [{"name": f"shop-{index}"} for index in range(30)], processes=3)
    assert Counter(cause for _, cause in told) == {"": 8 + 3, "NoRoom": 19}
    with database.write() as session:
        hosts = session.scalars(select(Host).order_by(Host.name)).all()
        a, b = rooms(session, hosts, NOW)
    assert (a.free_memory_mib, b.ports(2), b.ports(1)) == (511, None, range(20006, 20007))


def test_one_key_asked_for_by_all_at_once_brings_one_instance(database: Database, url: str) -> None:
    tell(database)
    told = ask_at_once(url, [{"idempotency_key": "k"}] * 12 + [{"name": "shop"}] * 4, processes=2)
    assert len({found for found, cause in told if not cause}) == 1
    assert Counter(cause for _, cause in told) in ({"": 12, "NameTaken": 4}, {"": 1, "NameTaken": 15})


def test_a_requester_killed_before_it_commits_leaves_nothing(database: Database, url: str) -> None:
    tell(database)
    ready = FORKED.Event()
    process = FORKED.Process(target=_ask_and_hang, args=(url, ready))
    process.start()
    assert ready.wait(60) and process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    assert numbers(ask(database)) == [20000, 20001]  # its name and ports were never taken


def _ask_and_hang(url: str, ready: Any) -> None:
    with open_database(url).write() as session:
        request(session, demand(), now=NOW)
        ready.set()
        threading.Event().wait(60)


@pytest.mark.parametrize("turn", range(5))
def test_of_an_extension_and_a_stop_at_once_the_extension_counts(database: Database, turn: int) -> None:
    tell(database)
    instance, now, policy = run(database, lasts=DAY), NOW + DAY, Policy()
    with database.read() as session:
        (stop,) = due(session, now=now, policy=policy, cap=9)
    stopped, extended = at_once(
        lambda: database.transact(handle, stop, now=now, policy=policy, who="ticker"),
        lambda: database.transact(extend, "shop", by=DAY, now=now, who="ann", max_days=9),
    )
    assert isinstance(stopped, bool) and not isinstance(extended, Exception)
    after = look(database, instance)
    assert (after.run, after.deadline, after.destroy_after) == (Run.STARTED, NOW + 2 * DAY, None)


def test_a_lock_that_all_want_at_once_is_given_to_one(database: Database) -> None:
    tell(database)
    instance = ask(database)
    tokens = at_once(
        *[lambda: database.transact(lock.take, instance.id, "worker", now=NOW, for_s=60) for _ in range(8)]
    )
    assert sorted(tokens, key=str) == [1, *[None] * 7]


def test_ports_given_back_while_others_ask_are_not_given_out_before_their_quarantine(database: Database) -> None:
    tell(database)
    going = [ask(database, f"old-{index}") for index in range(4)]
    for instance in going:
        database.transact(wishes.delete, instance.name, now=NOW, who="ann")
    work: list[Callable[[], Any]] = [lambda instance=instance: remove(database, instance) for instance in going]  # type: ignore[misc]
    work += [lambda index=index: ask(database, f"new-{index}") for index in range(4)]  # type: ignore[misc]
    answers = at_once(*work)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert sorted(number for made in answers[4:] for number in numbers(made)) == list(range(20008, 20016))
