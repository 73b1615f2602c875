"""A demand finds a host and ports of its own, or a refusal that says what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hosting.database import Database
from hosting.demand import check_demand
from hosting.errors import DemandRefused, KeyReused, NameTaken, NoRoom
from hosting.events import count, history
from hosting.listing import listing
from hosting.vocabulary import Run, State
from tests.hosting.world import DAY, HOSTILE, NOW, ask, demand, look, numbers, offer, tell


def test_an_instance_has_a_row_neighbouring_ports_a_deadline_and_an_event(database: Database) -> None:
    tell(database)
    made = look(database, ask(database))
    assert (made.state, made.run, made.host, made.made) == (State.REQUESTED, Run.STARTED, "lab/app", 0)
    assert [(port.name, port.number) for port in made.ports] == [("web", 20000), ("websocket", 20001)]
    assert made.deadline == NOW + 30 * DAY and made.created_at == NOW
    with database.read() as session:
        told = history(session, "shop")[0]
    assert (told.what, told.who, told.at) == ("requested", "ann@acme.test", NOW)
    assert told.text == "on lab/app: web 20000, websocket 20001"


def test_the_host_with_most_memory_free_is_chosen_and_of_equals_the_first_by_name(database: Database) -> None:
    tell(database, offer("lab/b"), offer("lab/a"), offer("lab/c", memory_mib=100))
    assert [ask(database, name, memory_mib=300).host for name in "wxyz"] == ["lab/a", "lab/b", "lab/a", "lab/b"]


def test_the_lowest_neighbours_are_taken_and_gaps_too_small_for_a_pair_left_to_single_ports(database: Database) -> None:
    tell(database, offer(first_port=20000, last_port=20005))
    assert numbers(ask(database, "a", port_names=("web",))) == [20000]
    assert numbers(ask(database, "b")) == [20001, 20002]
    assert numbers(ask(database, "c", port_names=())) == []
    assert numbers(ask(database, "d", port_names=("x", "y"))) == [20003, 20004]
    with pytest.raises(NoRoom, match="ports: no 2 free side by side in 20000-20005"):
        ask(database, "e")
    assert numbers(ask(database, "f", port_names=("web",))) == [20005]


def test_no_room_says_per_host_what_is_missing_and_leaves_nothing_behind(database: Database) -> None:
    tell(
        database,
        offer("lab/closed", is_open=False),
        offer("lab/networks", networks=0),
        offer("lab/ports", first_port=5, last_port=5),
        offer("lab/small", memory_mib=100),
    )
    with pytest.raises(NoRoom) as caught:
        ask(database)
    assert str(caught.value).splitlines() == [
        "host: none of 4 has room for shop, expected one; delete instances, add a host, or choose a smaller size",
        "  lab/closed: takes no new instances",
        "  lab/networks: networks: 0 of 0 free, 1 needed",
        "  lab/ports: ports: no 2 free side by side in 5-5",
        "  lab/small: memory: 100 of 100 MiB free, 512 needed",
    ]
    with database.read() as session:
        assert listing(session, now=NOW) == [] and count(session) == 0


def test_without_any_host_there_is_no_room(database: Database) -> None:
    with pytest.raises(NoRoom, match="there is no host"):
        ask(database)


def test_a_demand_may_name_its_environment_or_its_host(database: Database) -> None:
    tell(database, offer("lab/big", memory_mib=9000), offer("dev/one"), offer("dev/two", memory_mib=9999))
    assert ask(database, "a", environment="dev").host == "dev/two"
    assert ask(database, "b", host="dev/one").host == "dev/one"
    with pytest.raises(NoRoom, match="none of 0"):
        ask(database, "c", environment="lab", host="dev/one")


def test_a_name_is_given_once(database: Database) -> None:
    tell(database)
    ask(database)
    with pytest.raises(NameTaken, match="name: 'shop' is there already"):
        ask(database, tenant="other")


def test_the_same_key_and_demand_is_the_same_instance_also_later(database: Database) -> None:
    tell(database)
    first = ask(database, idempotency_key="k1")
    again = ask(database, idempotency_key="k1", now=NOW + DAY)
    assert again.id == first.id and again.deadline == first.deadline
    with database.read() as session:
        assert len(listing(session, now=NOW)) == 1 and count(session) == 1


@pytest.mark.parametrize("other", [{"name": "shop2"}, {"memory_mib": 513}, {"settings": {"a": 1}}, {"owner": "bob"}])
def test_the_same_key_with_another_demand_is_refused(database: Database, other: dict[str, Any]) -> None:
    tell(database)
    ask(database, idempotency_key="k1")
    with pytest.raises(KeyReused, match="idempotency_key: 'k1' brought 'shop' from another demand"):
        ask(database, **({"idempotency_key": "k1"} | other))


def test_a_key_is_its_tenants(database: Database) -> None:
    tell(database)
    first = ask(database, idempotency_key="k1")
    other = ask(database, "other", tenant="beta", idempotency_key="k1")
    assert first.id != other.id


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_settings_come_back_as_they_went_in(database: Database, text: str) -> None:
    tell(database)
    settings = {"title": text, text: [text, {"deep": text}]}
    owner = text.replace("\n", " ")
    made = look(database, ask(database, settings=settings, owner=owner, tenant=owner, idempotency_key=owner))
    assert made.settings == settings and made.owner == made.tenant == made.idempotency_key == owner


@pytest.mark.parametrize("field", ["name", "product", "version", "size", "port_names"])
@pytest.mark.parametrize("text", [*HOSTILE, "", "-a", "a" * 64, "shop\n", " shop", "\x00", "\ud800"])
def test_hostile_words_are_refused_by_name(field: str, text: str) -> None:
    other: dict[str, Any] = {field: (text,) if field == "port_names" else text}
    with pytest.raises(DemandRefused, match=f"^{field}: ") as caught:
        check_demand(replace(demand(), **other), max_days=None)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"name": "Shop"}, "name: 'Shop', expected"),
        ({"name": "a" * 41}, "name: "),
        ({"name": "shop-"}, "name: "),
        ({"memory_mib": 0}, "memory_mib: 0, expected 1 to"),
        ({"memory_mib": True}, "memory_mib: True"),
        ({"memory_mib": 2**31}, "memory_mib: 2147483648"),
        ({"memory_mib": 1.5}, "memory_mib: 1.5"),
        ({"networks": -1}, "networks: -1"),
        ({"port_names": ("web", "web")}, "port_names: 'web', 'web', expected"),
        ({"port_names": tuple(f"p{index}" for index in range(17))}, "port_names: "),
        ({"lasts": timedelta(0)}, "lasts: 0:00:00, expected time ahead"),
        ({"lasts": 91 * DAY}, "lasts: 91 days, 0:00:00, expected at most 90 days"),
        ({"lasts": timedelta.max}, "expected at most 90 days"),
        ({"lasts": None}, "lasts: without limit, expected at most 90 days"),
        ({"owner": ""}, "owner: '', expected one line"),
        ({"tenant": "a\x00"}, "tenant: 'a\\x00', expected"),
        ({"idempotency_key": ""}, "idempotency_key: ''"),
        ({"settings": {"a": object()}}, "settings: not JSON"),
        ({"settings": {"a": float("nan")}}, "settings: not JSON"),
        ({"settings": {"a": "\ud800"}}, "settings: not JSON"),
        ({"settings": {"a": "\x00"}}, "settings: 15 characters, expected"),
        ({"settings": ["a"]}, "settings: 5 characters, expected an object"),
        ({"settings": {"a": "x" * 70_000}}, "settings: 70009 characters"),
    ],
)
def test_a_demand_that_no_host_could_meet_is_refused_by_field(other: dict[str, Any], message: str) -> None:
    with pytest.raises(DemandRefused) as caught:
        check_demand(demand(**other), max_days=90)
    assert message in str(caught.value) and "; " in str(caught.value)


def test_without_a_limit_the_calendar_is_one() -> None:
    with pytest.raises(DemandRefused, match="expected at most 36500 days"):
        check_demand(demand(lasts=timedelta.max), max_days=None)
    check_demand(demand(lasts=None), max_days=None)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(DemandRefused) as caught:
        check_demand(demand(name="A", memory_mib=-5, lasts=-DAY, owner="\n"), max_days=90)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["name", "owner", "memory_mib", "lasts"]


def test_text_that_only_looks_like_nul_is_kept(database: Database) -> None:
    tell(database)
    settings = {"a": "\\u0000", "b": "\\\\u0000"}
    assert look(database, ask(database, settings=settings)).settings == settings
