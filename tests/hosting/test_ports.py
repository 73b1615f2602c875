"""Ports: given back into quarantine, never handed out while somebody listens, mended where they leaked."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from hosting import wishes
from hosting.database import Database
from hosting.errors import LockLost, NoRoom, NotThere
from hosting.model import Instance, Port
from hosting.ports import in_use, reallocate
from hosting.reconcile import Reconciled, reconcile
from hosting.settle import todo
from hosting.vocabulary import State, Todo
from tests.hosting.world import MINUTE, NOW, QUARANTINE, ask, look, numbers, offer, remove, run, take, tell

SMALL = offer(first_port=20000, last_port=20003)


def seen(database: Database, listeners: dict[int, str], now: Any = NOW) -> Reconciled:
    return database.transact(reconcile, "lab/app", listeners, now=now, quarantine=QUARANTINE)


def rows(database: Database) -> list[Port]:
    with database.read() as session:
        return session.query(Port).order_by(Port.number).all()


def gone(database: Database, instance: Instance, now: Any = NOW) -> None:
    database.transact(wishes.delete, instance.name, now=now, who="ann")
    remove(database, instance, now=now)


def test_ports_of_one_that_is_gone_are_free_after_the_quarantine_not_before(database: Database) -> None:
    tell(database, SMALL)
    gone(database, ask(database, "first"))
    assert numbers(ask(database, "second")) == [20002, 20003]
    with pytest.raises(NoRoom):
        ask(database, "third", now=NOW + QUARANTINE - MINUTE)
    assert numbers(ask(database, "third", now=NOW + QUARANTINE)) == [20000, 20001]


def test_one_that_could_not_be_made_gets_other_ports(database: Database) -> None:
    tell(database)
    instance = ask(database)
    assert seen(database, {20001: "apache2"}).disputed == {20001: "shop: apache2"}
    token = take(database, instance)
    other = database.transact(reallocate, instance.id, token=token, now=NOW, quarantine=QUARANTINE, who="worker")
    assert numbers(other) == [20002, 20003] and [port.name for port in other.ports] == ["web", "websocket"]
    later = NOW + QUARANTINE
    assert seen(database, {20001: "apache2", 20002: "shop"}, later).freed == [20000]
    assert numbers(ask(database, "next", now=later)) == [20004, 20005]  # 20000 alone is no pair
    with pytest.raises(LockLost):
        database.transact(reallocate, instance.id, token=9, now=NOW, quarantine=QUARANTINE, who="worker")


def test_without_other_ports_those_it_has_stay_its_own(database: Database) -> None:
    tell(database, SMALL)
    instance = ask(database)
    ask(database, "other")
    token = take(database, instance)
    with pytest.raises(NoRoom):
        database.transact(reallocate, instance.id, token=token, now=NOW, quarantine=QUARANTINE, who="w")
    assert numbers(look(database, instance)) == [20000, 20001]


def test_ports_that_others_listen_on_are_not_handed_out_until_they_are_gone(database: Database) -> None:
    tell(database)
    found = seen(database, {20000: "nginx", 20002: "$(reboot)", 22: "sshd", 20100: "x"})
    assert (found.taken, found.freed) == ({20000: "nginx", 20002: "$(reboot)"}, [])
    assert numbers(ask(database)) == [20003, 20004]
    assert seen(database, {20000: "nginx", 20002: "$(reboot)"}) == Reconciled()
    found = seen(database, {20000: "nginx", 20003: "shop", 20004: "shop"})
    assert (found.taken, found.freed, found.disputed) == ({}, [20002], {})
    assert numbers(ask(database, "next")) == [20001, 20002]


def test_what_still_listens_after_a_delete_keeps_its_port_out_of_use(database: Database) -> None:
    tell(database, SMALL)
    gone(database, ask(database))
    late = NOW + 2 * QUARANTINE
    assert seen(database, {20000: "shop"}, late) == Reconciled(taken={20000: "shop"}, freed=[20001])
    assert numbers(ask(database, "next", now=late)) == [20001, 20002]


def test_quarantine_that_is_over_leaves_no_row(database: Database) -> None:
    tell(database)
    gone(database, ask(database))
    assert seen(database, {}, NOW + QUARANTINE - MINUTE) == Reconciled()
    assert seen(database, {}, NOW + QUARANTINE).freed == [20000, 20001]
    assert rows(database) == []


def orphan(database: Database, instance: Instance, kind: str) -> None:
    """A row that the keys of the database would not let go, such as after a restore of half of it."""
    off, on = {
        "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"),
        "postgresql": ("SET session_replication_role = replica", "SET session_replication_role = DEFAULT"),
    }[kind]
    options = {"isolation_level": "AUTOCOMMIT", "is_write": True}
    with database.engine.execution_options(**options).connect() as connection:
        if connection.in_transaction():
            connection.rollback()
        raw = connection.connection.cursor()
        if kind == "sqlite":
            raw.execute("PRAGMA query_only = OFF")
        raw.execute(off)
        raw.execute(f"DELETE FROM instances WHERE id = '{instance.id}'")  # noqa: S608
        raw.execute(on)
        connection.connection.commit()


def test_leases_of_nobody_are_found_and_given_back(database: Database, kind: str) -> None:
    tell(database)
    orphan(database, ask(database), kind)
    found = seen(database, {})
    assert found == Reconciled(leaked=[20000, 20001])
    assert [(port.instance, port.quarantined_until) for port in rows(database)] == [(None, NOW + QUARANTINE)] * 2
    assert seen(database, {}) == Reconciled()


def test_an_instance_that_lacks_ports_gets_some_and_is_made_anew(database: Database) -> None:
    tell(database)
    instance = run(database)
    with database.write() as session:
        session.execute(text("DELETE FROM ports WHERE name = 'web'"))
    assert seen(database, {20001: "shop"}).without == ["shop"]
    mended = look(database, instance)
    assert numbers(mended) == [20002, 20003] and todo(mended) is Todo.CREATE
    assert seen(database, {20001: "shop"}).without == []


def test_an_instance_that_needs_no_port_or_goes_lacks_none(database: Database) -> None:
    tell(database)
    ask(database, "job", port_names=())
    ask(database)
    database.transact(wishes.delete, "shop", now=NOW, who="ann")
    with database.write() as session:
        session.execute(text("DELETE FROM ports"))
    assert seen(database, {}) == Reconciled()


def test_one_instance_that_cannot_be_mended_does_not_hinder_the_rest(database: Database) -> None:
    tell(database, SMALL)
    instance = ask(database)
    with database.write() as session:
        session.execute(text("DELETE FROM ports"))
    found = seen(database, {20000: "a", 20002: "b", 20003: "c"})
    assert (sorted(found.taken), found.without, found.lacking) == ([20000, 20002, 20003], [], ["shop"])
    assert look(database, instance).state is State.REQUESTED
    assert seen(database, {}).without == ["shop"]


def test_a_host_that_nobody_told_is_refused(database: Database) -> None:
    with pytest.raises(NotThere, match="host: 'lab/app', expected one that an environment has told"):
        seen(database, {})


def test_leased_ports_are_counted_per_host(database: Database) -> None:
    tell(database, offer(), offer("lab/b", memory_mib=1))
    ask(database)
    seen(database, {20050: "x"})
    with database.read() as session:
        assert (in_use(session, "lab/app"), in_use(session, "lab/b")) == (2, 0)
