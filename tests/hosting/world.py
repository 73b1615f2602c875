"""Hosts and demands that tests are about, and short ways to say what happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hosting import hosts, lock
from hosting.database import Database
from hosting.demand import Demand
from hosting.hosts import HostOffer
from hosting.model import Instance
from hosting.request import request
from hosting.states import forget, move
from hosting.vocabulary import State

Url = Callable[[], str]
KINDS = ("sqlite", "postgresql")
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
QUARANTINE = 10 * MINUTE
HOSTILE = ("$(reboot)", "'; DROP TABLE instances; --", "a\nb", "ünïcödé 🐳", '"', "%s", "{}", "../..", "a\\b")


def offer(name: str = "lab/app", **other: Any) -> HostOffer:
    environment, host = name.split("/")
    content: dict[str, Any] = {
        "environment": environment,
        "host": host,
        "address": f"{host}.test",
        "first_port": 20000,
        "last_port": 20099,
        "memory_mib": 8192,
        "networks": 20,
    }
    return HostOffer(**(content | other))


def demand(name: str = "shop", **other: Any) -> Demand:
    content: dict[str, Any] = {
        "name": name,
        "product": "odoo",
        "version": "17.0",
        "size": "small",
        "tenant": "acme",
        "owner": "ann@acme.test",
        "memory_mib": 512,
        "port_names": ("web", "websocket"),
        "lasts": 30 * DAY,
    }
    return Demand(**(content | other))


def tell(database: Database, *offers: HostOffer) -> None:
    database.transact(hosts.told, offers or [offer()])


def ask(database: Database, name: str = "shop", *, now: datetime = NOW, **other: Any) -> Instance:
    return database.transact(request, demand(name, **other), now=now)


def take(database: Database, instance: Instance, *, now: datetime = NOW, holder: str = "worker") -> int:
    token = database.transact(lock.take, instance.id, holder, now=now, for_s=60)
    assert token is not None
    return token


def walk(database: Database, instance: Instance, *states: State, now: datetime = NOW) -> Instance:
    """A worker takes it through these states and lets go of it."""
    token = take(database, instance, now=now)
    made = instance.generation
    for state in states:
        instance = database.transact(move, instance.id, state, token=token, now=now, who="worker", made=made)
    database.transact(lock.give_back, instance.id, token, now=now)
    return look(database, instance)


def run(database: Database, name: str = "shop", *, now: datetime = NOW, **other: Any) -> Instance:
    """One that runs."""
    return walk(database, ask(database, name, now=now, **other), State.CREATING, State.RUNNING, now=now)


def remove(database: Database, instance: Instance, *, now: datetime = NOW) -> None:
    """What a worker does with one that is deleted, when nothing is left on its host."""
    token = take(database, instance, now=now)
    database.transact(forget, instance.id, token=token, now=now, quarantine=QUARANTINE, who="worker")


def look(database: Database, instance: Instance) -> Instance:
    with database.read() as session:
        return session.get_one(Instance, instance.id)


def numbers(instance: Instance) -> list[int]:
    return [port.number for port in instance.ports]
