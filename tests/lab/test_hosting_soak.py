"""What takes longer than a test may: a host full of instances, all asked for at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.lab.checkout import Checkout
from tests.lab.hosted import ADDRESS, STACK, Hosted, Odoo, answers, at_once, write_stack

pytestmark = [pytest.mark.lab, pytest.mark.soak]
WEBS, SHOPS, AT_ONCE = 60, 5, 6


@pytest.fixture(scope="module")
def hosted(checkout: Checkout) -> Iterator[Hosted]:
    found = Hosted(replace(checkout, timeout_s=1800))
    write_stack(checkout, {"memory_mib": 8192, "networks": WEBS + 2 * SHOPS})
    up = checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    found.must("lab-up", "odoo postgres nginx")
    yield found
    for name in found.listed():
        found.must("instance-delete", "--no-wait", NAME=name)
    began = time.monotonic()
    while found.listed() and time.monotonic() - began < 1800:
        found.must("hosting-ticker", "--once")
    print(f"all of them deleted after {time.monotonic() - began:.0f} s")
    assert found.on_host("docker ps -a --format '{{.Names}}'").split() == ["portainer"]
    assert found.on_host("docker volume ls -q | grep ^i- || true") == ""
    assert checkout.make("down", stack=STACK).code == 0


def test_one_that_was_killed_while_it_was_made_is_brought_on_by_the_next_tick(hosted: Hosted) -> None:
    hosted.kill_new_when("i-late creating", PRODUCT="nginx", NAME="late")
    assert hosted.listed()["late"]["state"] == "creating"
    hosted.later(timedelta(minutes=3))
    hosted.must("hosting-ticker", "--once")
    late = hosted.listed()["late"]
    assert (late["state"], late["why"]) == ("running", "")
    assert answers(f"http://{ADDRESS}:{late['ports']['web']}/health", 5)
    hosted.must("instance-delete", NAME="late")
    assert hosted.left_of("late").split() == []


def test_sixty_web_servers_and_five_odoos_run_side_by_side(hosted: Hosted) -> None:
    names = [f"web{number}" for number in range(WEBS)] + [f"shop{number}" for number in range(SHOPS)]
    orders = [{"PRODUCT": "odoo" if name.startswith("shop") else "nginx", "NAME": name} for name in names]
    began = time.monotonic()
    for start in range(0, len(orders), AT_ONCE):
        done = at_once(hosted, orders[start : start + AT_ONCE], "--no-wait")
        assert [each.code for each in done] == [0] * len(done), "\n".join(each.text[-500:] for each in done)
    print(f"{len(names)} asked for, {AT_ONCE} at once: {time.monotonic() - began:.0f} s")
    refused = hosted.make("instance-new", PRODUCT="nginx", NAME="one-more")
    assert refused.code != 0 and "networks: 0 of 70 free" in refused.text, refused.text[-500:]
    began = time.monotonic()
    while time.monotonic() - began < 1800:
        hosted.must("hosting-ticker", "--once")
        states = [each["state"] for each in hosted.listed().values()]
        print(f"{states.count('running')} run after {time.monotonic() - began:.0f} s", flush=True)
        if states == ["running"] * len(names):
            break
    listed = hosted.listed()
    assert {each["why"] for each in listed.values()} == {""}, [each["why"] for each in listed.values() if each["why"]]
    ports = [port for each in listed.values() for port in each["ports"].values()]
    assert len(set(ports)) == len(ports) == WEBS + 2 * SHOPS
    assert len(set(hosted.on_host("docker network ls --format '{{.Name}}' | grep ^i-").split())) == WEBS + 2 * SHOPS
    wrong = [n for n, e in listed.items() if "web" in n and not answers(f"http://{ADDRESS}:{e['ports']['web']}/health")]
    assert wrong == []


def test_a_record_of_each_odoo_is_its_own_and_is_there_after_stop_and_start(hosted: Hosted) -> None:
    listed = hosted.listed()
    shops = {}
    for name in (f"shop{number}" for number in range(SHOPS)):
        url = f"http://{ADDRESS}:{listed[name]['ports']['web']}"
        odoo = Odoo(url, hosted.secrets(name)["odoo_admin_password"])
        shops[name] = (odoo, odoo.create_partner(f"customer of {name}"))
    for name, (odoo, number) in shops.items():
        began = time.monotonic()
        hosted.must("instance-stop", NAME=name)
        stopped = time.monotonic()
        hosted.must("instance-start", NAME=name)
        print(f"{name}: stop {stopped - began:.0f} s, start {time.monotonic() - stopped:.0f} s, with make itself")
        assert odoo.partner(number) == f"customer of {name}"
