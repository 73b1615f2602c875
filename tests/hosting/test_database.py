"""Sessions: whole or not at all, bounded waits, and one sentence when the database is away."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from hosting import sqlite
from hosting.database import Database, open_database
from hosting.errors import Busy, DatabaseAway, NotThere
from hosting.events import count, forget_before, history, record
from hosting.listing import Filter, find, listing
from hosting.model import Event, Host
from hosting.vocabulary import State
from tests.hosting.server import postgresql_server
from tests.hosting.world import DAY, HOSTILE, MINUTE, NOW, ask, numbers, offer, run, tell


def test_a_session_that_reads_cannot_write(database: Database) -> None:
    tell(database)
    with pytest.raises(DBAPIError, match=r"(?i)read.?only"), database.read() as session:
        session.execute(text("UPDATE hosts SET memory_mib = 1"))
    with database.write() as session:
        assert session.get_one(Host, "lab/app").memory_mib == 8192


def test_what_fails_leaves_nothing_of_it(database: Database) -> None:
    with pytest.raises(KeyError), database.write() as session:
        session.add(Host(name="lab/x", environment="lab", host="x", **_room()))
        session.flush()
        raise KeyError
    with database.read() as session:
        assert session.get(Host, "lab/x") is None


def test_a_row_that_changed_meanwhile_is_not_overwritten(database: Database) -> None:
    tell(database)
    instance = ask(database)
    with database.write() as session:
        session.execute(text("UPDATE instances SET revision = revision + 1"))
    instance.why = "stale"

    with pytest.raises(StaleDataError), database.write() as session:
        session.add(instance)
    with database.read() as session:
        assert [found.why for found in listing(session, now=NOW)] == [""]


def test_what_others_got_in_the_way_of_is_tried_again_but_not_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hosting.database.TRIES", 4)
    tell(database)
    tries = iter(range(99))

    def collide(session: Session, until: int) -> int:
        if (turn := next(tries)) < until:
            session.execute(text("INSERT INTO hosts SELECT * FROM hosts"))
        return turn

    assert database.transact(collide, 2) == 2
    with pytest.raises(Busy, match="expected to get through in 4 tries; nothing was changed, ask again"):
        database.transact(collide, 99)
    assert next(tries) == 3 + 4


def test_what_breaks_a_rule_is_not_tried_again(database: Database) -> None:
    tell(database)
    tries = iter(range(99))

    def wrong(session: Session) -> None:
        next(tries)
        session.execute(text("UPDATE hosts SET memory_mib = -1"))

    with pytest.raises(DBAPIError, match="ck_hosts_room"):
        database.transact(wrong)
    assert next(tries) == 1


def test_readers_of_sqlite_wait_for_no_writer_and_writers_for_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE_MS", 50)
    monkeypatch.setattr("hosting.database.TRIES", 3)
    database = open_database(f"sqlite:///{tmp_path}/x.db")
    database.migrate()
    with database.write() as writing:
        assert count(writing) == 0  # that it will write is known before it does
        with database.read() as reading:
            assert listing(reading, now=NOW) == []
        with pytest.raises(Busy):
            database.transact(count)
    database.transact(count)
    database.close()


def test_a_server_that_goes_is_told_in_a_sentence_and_found_again_when_it_is_back() -> None:
    with postgresql_server() as server:
        database = open_database(server.url("postgres"))
        database.migrate()
        tell(database)
        server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hypercompose'")
        assert ask(database).name == "shop"  # another connection is made
        with (
            pytest.raises(DatabaseAway, match=r"cannot be used now .*; look at its server"),
            database.write() as session,
        ):
            server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hypercompose'")
            session.execute(text("DELETE FROM hosts"))
        with database.read() as session:
            assert len(listing(session, now=NOW)) == 1
    with pytest.raises(DatabaseAway, match="cannot be used now"):
        ask(database, "other")
    database.close()


def test_a_full_disk_is_told_in_a_sentence_and_leaves_what_was_there(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/x.db")
    database.migrate()
    tell(database)

    def fill(session: Session) -> None:
        session.execute(text("PRAGMA max_page_count = 1"))  # no page more than it has
        for index in range(9):
            session.add(Host(name=f"lab/{index}" + "x" * 9000, environment="lab", host=f"{index}", **_room()))
            session.flush()

    with pytest.raises(DatabaseAway, match=r"x.db cannot be used now \(database or disk is full\), expected"):
        database.transact(fill)
    with database.read() as session:
        assert [host.name for host in session.query(Host)] == ["lab/app"]
    database.close()


def test_many_threads_share_one_database(database: Database) -> None:
    tell(database, offer(last_port=30000, memory_mib=10**6, networks=999))
    errors: list[Exception] = []

    def work(thread: int) -> None:
        try:
            for turn in range(5):
                ask(database, f"t{thread}-{turn}")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(12)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == [] and time.monotonic() - begun < 60
    with database.read() as session:
        assert len(listing(session, now=NOW)) == 60


def test_the_list_tells_people_what_they_ask_for(database: Database) -> None:
    tell(database, offer("lab/a"), offer("lab/b", memory_mib=600))
    run(database, "one", lasts=DAY, tenant="x", host="lab/b")
    ask(database, "two", product="nginx", port_names=("web",), lasts=None, owner="$(reboot)")
    with database.read() as session:
        one, two = listing(session, now=NOW + 2 * DAY)
        assert (one.name, one.host, one.address, one.ports) == (
            "one",
            "lab/b",
            "b.test",
            {"web": 20000, "websocket": 20001},
        )
        assert (one.state, one.deadline, one.left) == (State.RUNNING, NOW + DAY, -DAY)
        assert (two.deadline, two.left, two.ports) == (None, None, {"web": 20000})
        assert numbers(find(session, "one")) == [20000, 20001]
        with pytest.raises(NotThere, match="instance: 'three', expected one that is there"):
            find(session, "three")
        for which, names in (
            (Filter(tenant="x"), ["one"]),
            (Filter(owner="$(reboot)"), ["two"]),
            (Filter(owner="' OR 1=1 --"), []),
            (Filter(product="nginx", host="lab/a"), ["two"]),
            (Filter(state=State.REQUESTED), ["two"]),
            (Filter(name="one", tenant="acme"), []),
            (Filter(ends_before=NOW + 2 * DAY), ["one"]),
        ):
            assert [found.name for found in listing(session, which, now=NOW)] == names


def test_events_outlive_their_instance_and_end_by_age(database: Database) -> None:
    tell(database)
    instance = ask(database)
    with database.write() as session:
        for index, text_ in enumerate(HOSTILE):
            record(session, instance, at=NOW + index * MINUTE, who=text_, what=text_, text=text_)
        session.add(Event(instance="gone", name="old", at=NOW - DAY, who="a", what="b", text="c"))
    with database.read() as session:
        told = history(session, "shop", limit=len(HOSTILE))
        assert [event.text for event in told] == list(reversed(HOSTILE))
        before = count(session)
    assert database.transact(forget_before, NOW, at_most=5) == 1
    assert database.transact(forget_before, NOW + 3 * MINUTE, at_most=2) == 2
    with database.read() as session:
        assert count(session) == before - 3 and [found.name for found in listing(session, now=NOW)] == ["shop"]


def _room() -> dict[str, object]:
    return {"address": "x", "first_port": 1, "last_port": 2, "memory_mib": 1, "networks": 1, "is_open": True}
