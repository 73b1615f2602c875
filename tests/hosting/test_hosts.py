"""Hosts as environments tell them."""

from __future__ import annotations

from typing import Any

import pytest

from hosting import hosts
from hosting.database import Database
from hosting.errors import NoRoom, OfferRefused
from hosting.model import Host
from tests.hosting.world import ask, numbers, offer, tell


def rows(database: Database) -> dict[str, Host]:
    with database.read() as session:
        return {host.name: host for host in session.query(Host)}


def test_a_host_is_told_again_with_what_is_new_and_keeps_its_instances(database: Database) -> None:
    tell(database)
    made = ask(database)
    tell(database, offer(memory_mib=600, first_port=20001, address="new.test"), offer("lab/b", memory_mib=1))
    told = rows(database)
    assert (told["lab/app"].memory_mib, told["lab/app"].address, told["lab/b"].memory_mib) == (600, "new.test", 1)
    assert numbers(made) == [20000, 20001]  # outside of the new range, and still its own
    with pytest.raises(NoRoom, match="memory: 88 of 600 MiB free"):
        ask(database, "second")
    assert numbers(ask(database, "third", memory_mib=88)) == [20002, 20003]


def test_hosts_told_no_more_are_closed_and_those_of_others_left_alone(database: Database) -> None:
    tell(database, offer("lab/a"), offer("lab/b"), offer("dev/a", address="dev.test"))
    closed = database.transact(hosts.close_others, "lab", ["b"])
    assert [host.name for host in closed] == ["lab/a"]
    assert {name for name, host in rows(database).items() if host.is_open} == {"lab/b", "dev/a"}
    tell(database, offer("lab/a"))
    assert rows(database)["lab/a"].is_open


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"first_port": 0}, "hosts.lab/app.first_port: 0-20099, expected a range in 1-65535"),
        ({"first_port": 20100}, "hosts.lab/app.first_port: 20100-20099"),
        ({"last_port": 65536}, "first_port: 20000-65536"),
        ({"memory_mib": -1}, "hosts.lab/app.memory_mib: -1, expected 0 or more"),
        ({"networks": 2**31}, "hosts.lab/app.networks: 2147483648"),
        ({"address": ""}, "hosts.lab/app: '', expected"),
        ({"host": "$(reboot)"}, "hosts.lab/$(reboot): "),
        ({"environment": "a/b"}, "hosts.a/b/app: "),
    ],
)
def test_a_host_that_cannot_be_is_refused_and_nothing_taken_in(
    database: Database, other: dict[str, Any], message: str
) -> None:
    with pytest.raises(OfferRefused) as caught:
        tell(database, offer("lab/good"), offer(**other))
    assert message in str(caught.value)
    assert rows(database) == {}


def test_two_environments_on_one_server_need_ranges_of_their_own(database: Database) -> None:
    tell(database, offer("lab/app", address="10.0.0.1"))
    with pytest.raises(OfferRefused, match=r"20050-20150 is also of lab/app \(20000-20099 at 10.0.0.1\)"):
        tell(database, offer("dev/app", address="10.0.0.1", first_port=20050, last_port=20150))
    tell(database, offer("dev/app", address="10.0.0.1", first_port=20100, last_port=20150))
    with pytest.raises(OfferRefused, match="is also of"):
        tell(database, offer("dev/app", address="10.0.0.1"), offer("lab/app", address="10.0.0.1"))


def test_a_host_is_told_once_at_a_time(database: Database) -> None:
    with pytest.raises(OfferRefused, match="is also of lab/app"):
        tell(database, offer(), offer())
