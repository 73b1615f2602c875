"""Names of instances: one each, of the host's domain, told to the engine, moved with the domain."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hosting import events, listing, wishes
from hosting.database import Database, open_database
from hosting.errors import BeingDeleted, DemandRefused, NameTaken, NoRoom, NotThere, OfferRefused
from hosting.listing import Listed
from hosting.naming import give_name
from hosting.products import demand_of, product_named
from hosting.report import line_of, lines_of, plain
from hosting.routes import address
from settings.product import Product
from settings.site import HostingRules
from tests.hosting.world import DAY, HOSTILE, NOW, ask, demand, look, offer, remove, run, tell, walk

DOMAIN = "shops.example.com"


def routed(name: str = "lab/app", **other: Any) -> Any:
    return offer(name, **{"domain": DOMAIN, "route_port": 443, **other})


def listed(database: Database) -> dict[str, Listed]:
    with database.read() as session:
        return {each.name: each for each in listing.listing(session, now=NOW)}


def test_an_instance_has_the_name_that_was_asked_for_where_its_host_gives_names(database: Database) -> None:
    tell(database, routed())
    made = ask(database, "shop", route="front")
    assert (made.route, made.domain) == ("front", DOMAIN)
    assert listed(database)["shop"].url == f"https://front.{DOMAIN}"


def test_where_the_host_gives_none_it_has_none(database: Database) -> None:
    tell(database)
    made = ask(database, "shop", route="shop")
    assert (made.route, made.domain, listed(database)["shop"].url) == (None, None, None)


def test_one_that_wants_none_gets_none(database: Database) -> None:
    tell(database, routed())
    assert ask(database, "shop").route is None


def test_a_name_that_must_be_is_only_found_on_hosts_that_give_names(database: Database) -> None:
    tell(database, offer("lab/big", memory_mib=99999))
    with pytest.raises(NoRoom, match="lab/big: names: it has no domain for them"):
        ask(database, route="shop", must_route=True)
    tell(database, routed("lab/small"))
    assert ask(database, route="shop", must_route=True).host == "lab/small"
    assert ask(database, "other", route="other").host == "lab/big"


def test_a_name_is_given_once_and_free_again_when_its_instance_is_gone(database: Database) -> None:
    tell(database, routed())
    first = run(database, "one", route="front")
    with pytest.raises(NoRoom, match=rf"names: front.{DOMAIN} is that of one"):
        ask(database, "two", route="front")
    assert "two" not in listed(database)
    database.transact(wishes.delete, "one", now=NOW, who="ann")
    with pytest.raises(NoRoom, match="is that of one"):  # until nothing of it is left
        ask(database, "two", route="front")
    remove(database, look(database, first))
    assert ask(database, "two", route="front").route == "front"


def test_another_domain_has_names_of_its_own(database: Database) -> None:
    tell(database, routed("lab/a", memory_mib=600), routed("dev/a", address="dev.test", domain="dev.example.com"))
    urls = {ask(database, name, route="front").domain for name in ("one", "two")}
    assert urls == {DOMAIN, "dev.example.com"}


@pytest.mark.parametrize("value", [*HOSTILE, "", "-a", "a-", "A", "a.b", "a_b", "*", "a" * 64, "a\n"])
def test_hostile_names_are_refused_by_field(database: Database, value: str) -> None:
    tell(database, routed())
    with pytest.raises(DemandRefused, match="route: "):
        ask(database, route=value)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ("UPDATE instances SET route = NULL", True),
        ("UPDATE instances SET domain = NULL", True),
        ("UPDATE instances SET route = 'one'", True),
        ("UPDATE hosts SET route_port = NULL", True),
        ("UPDATE instances SET route = NULL, domain = NULL", False),
    ],
)
def test_the_database_itself_holds_a_name_to_be_whole_and_one_instances(url: str, changes: str, refused: bool) -> None:
    database = open_database(url)
    tell(database, routed())
    for name in ("one", "two"):
        ask(database, name, route=name)
    if refused:
        with pytest.raises(DBAPIError, match=r"(?i)constraint"), database.write() as session:
            session.execute(text(changes))
    else:
        with database.write() as session:
            session.execute(text(changes))
    database.close()


def test_another_domain_of_the_host_takes_its_instances_along_and_has_them_made_anew(database: Database) -> None:
    tell(database, routed())
    shop, bare = run(database, "shop", route="front"), run(database, "bare")
    tell(database, routed(domain="new.example.com", route_port=8443))
    moved = look(database, shop)
    assert (moved.domain, moved.generation) == ("new.example.com", shop.generation + 1)
    assert listed(database)["shop"].url == "https://front.new.example.com:8443"
    assert look(database, bare).generation == bare.generation
    with database.read() as session:
        newest = events.history(session, "shop")[0]
    assert (newest.what, newest.text) == ("other name", f"front.{DOMAIN} => front.new.example.com")
    tell(database, routed(domain="new.example.com", route_port=8443))
    assert look(database, shop).generation == moved.generation


def test_a_host_that_gives_names_no_more_takes_them_from_its_instances(database: Database) -> None:
    tell(database, routed())
    shop = run(database, "shop", route="front")
    tell(database)
    gone = look(database, shop)
    assert (gone.route, gone.domain, gone.generation) == (None, None, shop.generation + 1)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"domain": "$(reboot).com"}, "hosts.lab/app.domain: '$(reboot).com', expected a domain"),
        ({"domain": "a..b"}, "hosts.lab/app.domain"),
        ({"route_port": None}, "hosts.lab/app.domain"),
        ({"domain": None}, "hosts.lab/app.domain"),
    ],
)
def test_a_domain_that_cannot_be_is_refused(database: Database, other: dict[str, Any], message: str) -> None:
    with pytest.raises(OfferRefused) as caught:
        tell(database, routed(**other))
    assert message in str(caught.value)


def test_a_domain_is_one_hosts(database: Database) -> None:
    with pytest.raises(OfferRefused, match=rf"hosts.lab/b.domain: {DOMAIN} is also of lab/a"):
        tell(database, routed("lab/a"), routed("lab/b"))
    tell(database, routed("lab/a"))
    with pytest.raises(OfferRefused, match=r"is also of lab/a"):
        tell(database, routed("dev/a", address="dev.test"))
    tell(database, routed("lab/b"))  # its environment tells of lab/a no more


def test_one_that_is_there_gets_another_name_or_none(database: Database) -> None:
    tell(database, routed())
    shop, _ = run(database, "shop"), run(database, "other", route="taken")
    named = database.transact(give_name, "shop", "front", now=NOW, who="ann")
    assert (named.route, named.domain, named.generation) == ("front", DOMAIN, shop.generation + 1)
    again = database.transact(give_name, "shop", "front", now=NOW, who="ann")
    assert again.generation == named.generation
    with pytest.raises(NameTaken, match=rf"taken.{DOMAIN} is that of other"):
        database.transact(give_name, "shop", "taken", now=NOW, who="ann")
    with pytest.raises(DemandRefused, match="route: "):
        database.transact(give_name, "shop", "$(reboot)", now=NOW, who="ann")
    with pytest.raises(NotThere):
        database.transact(give_name, "nobody", "x", now=NOW, who="ann")
    bare = database.transact(give_name, "shop", None, now=NOW, who="ann")
    assert (bare.route, bare.domain, bare.generation) == (None, None, named.generation + 1)
    with database.read() as session:
        assert [event.text for event in events.history(session, "shop") if event.what == "other name"] == [
            f"front.{DOMAIN} => none",
            f"none => front.{DOMAIN}",
        ]


def test_a_host_without_a_domain_gives_no_name_to_what_is_there(database: Database) -> None:
    tell(database)
    run(database, "shop")
    with pytest.raises(NoRoom, match="lab/app gives none"):
        database.transact(give_name, "shop", "front", now=NOW, who="ann")
    database.transact(wishes.delete, "shop", now=NOW, who="ann")
    with pytest.raises(BeingDeleted):
        database.transact(give_name, "shop", None, now=NOW, who="ann")


def told(**given: str) -> argparse.Namespace:
    plain = {"name": "shop", "product": "odoo", "version": "", "size": "", "tenant": "", "owner": "ann", "host": ""}
    return argparse.Namespace(**{**plain, "stack": "lab", "set": [], "route": "", **given})


class Site:
    id = "lab"
    hosting = HostingRules()


@pytest.mark.parametrize(
    ("asked", "expected"), [("", ("shop", False)), ("none", (None, False)), ("front", ("front", True))]
)
def test_the_command_asks_for_the_instances_own_name_another_or_none(
    asked: str, expected: tuple[str | None, bool]
) -> None:
    site: Any = Site()
    found = demand_of(site, told(route=asked), DAY)
    assert (found.route, found.must_route) == expected


def test_a_product_that_answers_to_no_name_is_asked_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    nginx = product_named("nginx")
    bare = Product(nginx.project, nginx.hosting.model_copy(update={"route": None}))
    monkeypatch.setattr("hosting.products.product_named", lambda name: bare)
    site: Any = Site()
    assert demand_of(site, told(product="nginx"), DAY).route is None
    with pytest.raises(DemandRefused, match="ROUTE=front: nginx answers to no name"):
        demand_of(site, told(product="nginx", route="front"), DAY)


def test_the_name_is_part_of_what_a_key_stands_for() -> None:
    assert demand(route="a").hash() != demand(route="b").hash()


def test_lists_show_the_address_by_name_and_the_ports(database: Database) -> None:
    tell(database, routed())
    walk(database, ask(database, "shop", route="front"))
    shop = listed(database)["shop"]
    assert f"https://front.{DOMAIN}, web http://app.test:20000" in line_of(shop)
    assert any(f"https://front.{DOMAIN} app.test:20000,20001" in line for line in lines_of([shop]))
    assert plain(shop)["url"] == f"https://front.{DOMAIN}"


def test_an_address_has_its_port_where_that_is_not_the_usual_one() -> None:
    assert address("a", "b.c", 443) == "https://a.b.c"
    assert address("a", "b.c", 8443) == "https://a.b.c:8443"
    assert address(None, "b.c", 443) is None
