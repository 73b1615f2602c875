"""Instances of products on a host: made, used, stopped, extended, expired, deleted, and what may go wrong with them."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import requests

from tests.lab.checkout import Checkout
from tests.lab.hosted import ADDRESS, HOST, STACK, Hosted, Odoo, answers, at_once, write_stack

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
HOSTILE = "$(reboot) `id` 'q\" \\ ünï 🐘"


@pytest.fixture(scope="module")
def hosted(checkout: Checkout) -> Hosted:
    return Hosted(checkout)


def test_an_environment_offers_a_host(hosted: Hosted) -> None:
    write_stack(hosted.checkout)
    up = hosted.checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    assert hosted.listed() == {}


def test_an_odoo_instance_is_usable_and_keeps_its_records_over_stop_and_start(hosted: Hosted) -> None:
    hosted.must("lab-up", "odoo postgres nginx")  # building is not what is measured
    began = time.monotonic()
    said = hosted.must("instance-new", PRODUCT="odoo", NAME="shop", OWNER="ann@example.com", DAYS="14")
    took = time.monotonic() - began
    assert "shop: running, web http://" in said
    assert "out of support" in said, "an old version is taken with a warning"
    shop = hosted.listed()["shop"]
    url = f"http://{ADDRESS}:{shop['ports']['web']}"
    assert "oe_login_form" in requests.get(f"{url}/web/login", timeout=20).text
    assert shop["ports"]["websocket"] == shop["ports"]["web"] + 1
    assert took < 150, f"{took:.0f} s"
    odoo = Odoo(url, hosted.secrets("shop")["odoo_admin_password"])
    number = odoo.create_partner(HOSTILE)
    before = hosted.on_host("docker ps -q --filter label=hypercompose.instance=shop").split()
    hosted.must("instance-stop", NAME="shop")
    assert hosted.on_host("docker ps -aq --filter label=hypercompose.instance=shop").split() == []
    assert hosted.listed()["shop"]["state"] == "stopped"
    hosted.must("instance-start", NAME="shop")
    assert odoo.partner(number) == HOSTILE
    assert set(hosted.on_host("docker ps -q --filter label=hypercompose.instance=shop").split()).isdisjoint(before)
    drift = hosted.make("instance-drift", NAME="shop")
    assert drift.code == 0, drift.text[-3000:]


def test_instances_asked_for_at_once_have_networks_and_ports_of_their_own(hosted: Hosted) -> None:
    names = [f"web{number}" for number in range(3)]
    done = at_once(hosted, [{"PRODUCT": "nginx", "NAME": name, "TENANT": "acme", "DAYS": "300"} for name in names])
    assert [each.code for each in done] == [0] * 3, "\n".join(each.text[-800:] for each in done)
    listed = hosted.listed()
    ports = [port for each in listed.values() for port in each["ports"].values()]
    assert len(set(ports)) == len(ports) == 5
    assert all(answers(f"http://{ADDRESS}:{listed[name]['ports']['web']}/health", 5) for name in names)
    networks = hosted.on_host("docker network ls --format '{{.Name}}' | grep ^i-").split()
    assert len(networks) == 5


def test_bad_input_is_refused_by_name_and_nothing_is_made(hosted: Hosted) -> None:
    before = hosted.listed()
    refusals = {
        "name: '$(reboot)', expected": {"PRODUCT": "nginx", "NAME": "$(reboot)"},
        "PRODUCT=../guestbook: expected one of nginx, odoo": {"PRODUCT": "../guestbook", "NAME": "x"},
        "name: 'shop' is there already": {"PRODUCT": "nginx", "NAME": "shop"},
        'size: "huge", expected one of small, medium': {"PRODUCT": "nginx", "NAME": "x", "SIZE": "huge"},
        "host: none of 0 has room": {"PRODUCT": "nginx", "NAME": "x", "HOST": "elsewhere"},
    }
    for text, variables in refusals.items():
        done = hosted.make("instance-new", **variables)
        assert done.code != 0 and text in done.text, f"{text}\n{done.text[-1000:]}"
    done = hosted.make("instance-new", "--set ODOO_LANGUAGE=xx", PRODUCT="odoo", NAME="x")
    assert done.code != 0 and "settings.ODOO_LANGUAGE" in done.text, done.text[-1000:]
    done = hosted.make("instance-new", PRODUCT="odoo", NAME="x", SIZE="large", HOST=HOST)
    assert done.code != 0 and f"hosted/{HOST}: memory" in done.text, done.text[-1000:]
    assert set(hosted.listed()) == set(before)


def test_portainer_away_is_told_and_tried_again_and_nothing_is_lost(hosted: Hosted) -> None:
    hosted.on_host("docker stop portainer")
    done = hosted.make("instance-stop", NAME="web0")
    assert done.code != 0
    web = hosted.listed()["web0"]
    assert (web["state"], web["run"]) == ("failed", "stopped")
    assert "no answer" in web["why"]
    assert answers(f"http://{ADDRESS}:{web['ports']['web']}/health")
    hosted.on_host("docker start portainer")
    hosted.later(timedelta(minutes=3))
    hosted.must("hosting-ticker", "--once")
    assert hosted.listed()["web0"]["state"] == "stopped"


def test_at_its_deadline_one_is_stopped_backed_up_and_in_the_end_destroyed(hosted: Hosted) -> None:
    shop = hosted.listed()["shop"]
    port = shop["ports"]["web"]
    hosted.later(timedelta(days=12))
    assert "shop: warn" in hosted.must("hosting-ticker", "--once")
    hosted.must("instance-extend", NAME="shop", DAYS="1")
    hosted.later(timedelta(days=2, hours=1))
    assert hosted.listed()["shop"]["state"] == "running"
    hosted.must("hosting-ticker", "--once")
    assert hosted.listed()["shop"]["state"] == "running", "it was extended"
    hosted.later(timedelta(days=1))
    assert "shop: stop" in hosted.must("hosting-ticker", "--once")
    assert hosted.listed()["shop"]["state"] == "stopped"
    hosted.must("instance-extend", NAME="shop", DAYS="2")
    assert hosted.listed()["shop"]["state"] == "running"
    assert answers(f"http://{ADDRESS}:{port}/web/login", 20)
    hosted.later(timedelta(days=3))
    hosted.must("hosting-ticker", "--once")
    hosted.later(timedelta(days=6, hours=1))
    assert "final backup at" in hosted.must("hosting-ticker", "--once")
    sums = hosted.on_host("cd /var/lib/hypercompose/backups/i-shop/* && sha256sum -c SHA256SUMS")
    assert "i-shop_odoo-db-data.tar.gz: OK" in sums and "i-shop_odoo-web-data.tar.gz: OK" in sums
    hosted.later(timedelta(days=1))
    hosted.must("hosting-ticker", "--once")
    assert "shop" not in hosted.listed()
    assert hosted.left_of("shop").split() == []


def test_an_environment_with_instances_is_not_destroyed_and_without_them_nothing_is_left(hosted: Hosted) -> None:
    refused = hosted.checkout.make("down", stack=STACK)
    assert refused.code != 0 and "are on its hosts" in refused.text, refused.text[-500:]
    names = list(hosted.listed())
    for name in names:
        hosted.must("instance-delete", "--no-wait", NAME=name)
    hosted.must("hosting-ticker", "--once")
    assert hosted.listed() == {}
    assert "".join(hosted.left_of(name) for name in names).split() == []
    stacks = hosted.on_host("docker ps -a --format '{{.Names}}'").split()
    assert stacks == ["portainer"]
    database = hosted.database()
    with database.read() as session:
        from hosting.model import Instance, Port

        assert session.query(Instance).count() == 0
        assert session.query(Port).filter(Port.instance.is_not(None)).count() == 0
    database.close()
    assert hosted.checkout.make("down", stack=STACK).code == 0
