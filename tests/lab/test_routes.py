"""Names with TLS for instances: from a setting and a word to pages, and away again."""

from __future__ import annotations

import json
import shlex
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.lab.checkout import NET, SITE, Checkout
from tests.lab.hosted import Hosted
from tests.lab.names import Answer, Names

pytestmark = [pytest.mark.lab, pytest.mark.soak]  # in order: each test goes on where the one before ended
STACK, HOST, ADDRESS = "routed", "vm-routed", f"{NET}.0.81"
DOMAIN = "shops.lab.internal"
SOURCES = [f"{NET}.0.0/24"]
ROUTES: dict[str, Any] = {"domain": DOMAIN, "sources": SOURCES}
ROOM: dict[str, Any] = {"ports": "22000-22099", "sources": SOURCES, "memory_mib": 1024, "networks": 40}


@dataclass(frozen=True)
class Routed(Hosted):
    """The commands of hosting for one environment, and its host."""

    stack: str = STACK
    host: str = HOST

    def names(self) -> Names:
        """As the outputs of the environment tell of them."""
        done = self.checkout.pulumi("stack", "output", "hosting", "--json", stack=self.stack)
        offer = json.loads(done.text[done.text.index("{") :])[self.host]
        return Names(offer["address"], offer["authority"], offer["domain"], int(offer["route_port"]))


def check_names(routed: Routed, name: str = "named", label: str = "front") -> None:
    """An Nginx instance with a name: answers by it, not by others; stopped it says so; deleted the name is gone."""
    names = routed.names()
    assert names.get(label).status == 404
    said = routed.must("instance-new", PRODUCT="nginx", NAME=name, ROUTE=label)
    shown = "" if names.port == 443 else f":{names.port}"
    assert f"https://{label}.{names.domain}{shown}" in said
    assert routed.listed()[name]["url"] == f"https://{label}.{names.domain}{shown}"
    page = names.get(label)
    assert (page.status, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert names.get(label, "/health").body.endswith('{"status":"ok"}')
    assert names.get(f"not-{label}").status == 404
    drift = routed.make("instance-drift", NAME=name)
    assert drift.code == 0, drift.text[-3000:]
    routed.must("instance-stop", NAME=name)
    away = names.get(label)
    assert (away.status, away.headers["retry-after"]) == (503, "30")
    assert name not in away.body and "nginx" not in away.body.lower()
    routed.must("instance-start", NAME=name)
    assert names.get(label).status == 200
    routed.must("instance-delete", NAME=name)
    assert names.get(label).status == 404
    assert routed.on_host(
        f"ls /etc/hypercompose/routes; docker ps -aq --filter label=hypercompose.instance={name}"
    ) == ("README\n")


def write_stack(checkout: Checkout, routes: dict[str, Any] | None) -> None:
    """An environment of one VM that takes instances, and gives them names."""
    network = [{"bridge": "vmbr0", "address": f"{ADDRESS}/24"}]
    vm = {"name": HOST, "first_id": 2300, "memory_mib": 2048, "networks": network}
    keys: dict[str, Any] = {
        "site": SITE,
        "vms": [vm],
        "baseline": {"packages": ["ca-certificates"], "firewall": {}},
        "docker": {},
        "portainer": {"sources": SOURCES},
        "hosting": {HOST: {**ROOM, **({"routes": routes} if routes else {})}},
    }
    checkout.write_settings(STACK, **keys)


@contextmanager
def by_hand(routed: Routed, file: str, text: str) -> Iterator[None]:
    """A route that somebody wrote."""
    routed.on_host(f"printf %s {shlex.quote(text)} >/etc/hypercompose/routes/{file}")
    try:
        yield
    finally:
        routed.on_host(f"rm -f /etc/hypercompose/routes/{file}")


@pytest.fixture(scope="module")
def routed(checkout: Checkout) -> Routed:
    return Routed(checkout)


def test_an_environment_gets_a_router_and_the_second_time_nothing_changes(routed: Routed) -> None:
    write_stack(routed.checkout, ROUTES)
    up = routed.checkout.make("up", stack=STACK)
    assert up.code == 0, up.why
    assert routed.checkout.preview("--refresh", stack=STACK) == {}
    router = json.loads(routed.on_host("docker inspect hypercompose-router"))[0]["HostConfig"]
    assert router["ReadonlyRootfs"] and router["CapDrop"] == ["ALL"] and router["Memory"]
    assert {name.removeprefix("CAP_") for name in router["CapAdd"]} == {"NET_BIND_SERVICE", "SETGID", "SETUID"}


def test_an_instance_answers_by_its_name_until_it_is_gone(routed: Routed) -> None:
    check_names(routed)


def test_names_outside_of_the_domain_get_no_certificate_and_plain_http_is_sent_on(routed: Routed) -> None:
    names = routed.names()
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        replace(names, domain="elsewhere.test").get("shop")
    sent_on = names.plain(f"shop.{DOMAIN}", "/a?b=c")
    assert sent_on and (sent_on.status, sent_on.headers["location"]) == (301, f"https://shop.{DOMAIN}/a?b=c")
    assert names.plain("elsewhere.test") == Answer(0, {}, "")


def test_what_an_instance_is_told_of_its_visitor_comes_from_the_router(routed: Routed) -> None:
    """Its default name is its own; a server behind it shows the headers that it was sent."""
    names = routed.names()
    routed.must("instance-new", PRODUCT="nginx", NAME="shown")
    said = "$http_x_forwarded_for $http_x_forwarded_proto $host"
    echo = f'location = /seen {{ default_type text/plain; return 200 "{said}"; }}'
    routed.on_host(
        "c=$(docker ps -q --filter label=hypercompose.instance=shown); docker exec -u 10004 $c sh -c "
        + shlex.quote(
            f"sed -i {shlex.quote('s|location / {|' + echo + ' location / {|')} /etc/nginx/conf.d/default.conf"
        )
        + " && docker kill -s HUP $c >/dev/null && sleep 1"
    )
    seen = names.get("shown", "/seen", headers={"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "gopher"})
    assert seen.body.split() == [f"{NET}.0.1", "https", f"shown.{DOMAIN}"], seen


def test_a_broken_file_takes_no_other_down_also_not_over_a_restart(routed: Routed) -> None:
    names = routed.names()
    with by_hand(routed, "broken.conf", "server { listen nowhere"):
        routed.must("instance-new", PRODUCT="nginx", NAME="beside")
        routed.on_host("docker restart hypercompose-router >/dev/null && sleep 2")
        assert names.get("beside").status == names.get("shown").status == 200
        assert "broken.conf" in routed.on_host("docker logs --tail 50 hypercompose-router 2>&1")
    routed.must("instance-delete", NAME="beside")


def test_a_route_that_somebody_changed_is_told_and_written_anew_with_the_next_change(routed: Routed) -> None:
    routed.on_host("echo '# by hand' >>/etc/hypercompose/routes/i-shown.conf")
    drift = routed.make("instance-drift", NAME="shown")
    assert drift.code == 2 and "route" in drift.text, drift.text[-2000:]
    names = routed.names()
    for route, other in (("moved", "shown"), ("shown", "moved")):
        routed.must("instance-resize", NAME="shown", ROUTE=route)
        assert (names.get(route).status, names.get(other).status) == (200, 404)
    assert "by hand" not in routed.on_host("cat /etc/hypercompose/routes/i-shown.conf")
    assert routed.make("instance-drift", NAME="shown").code == 0


def test_names_that_cannot_be_or_are_taken_are_refused_before_anything_is_made(routed: Routed) -> None:
    before = set(routed.listed())
    for route, text in {
        "$(reboot)": "route: '$(reboot)', expected small letters",
        "a.b": "route: 'a.b', expected small letters",
        "shown": f"names: shown.{DOMAIN} is that of shown",
    }.items():
        done = routed.make("instance-new", PRODUCT="nginx", NAME="other", ROUTE=route)
        assert done.code != 0 and text in done.text, done.text[-1500:]
    assert set(routed.listed()) == before
    said = routed.must("instance-new", PRODUCT="nginx", NAME="nameless", ROUTE="none")
    assert "https://" not in said.splitlines()[-1]
    assert routed.names().get("nameless").status == 404
    routed.must("instance-resize", NAME="nameless", ROUTE="named")
    assert routed.names().get("named").status == 200
    routed.must("instance-resize", NAME="nameless", ROUTE="none")
    assert routed.names().get("named").status == 404
    routed.must("instance-delete", NAME="nameless")


def test_another_domain_moves_the_names_and_without_any_ports_are_left(routed: Routed) -> None:
    before = routed.names()
    write_stack(routed.checkout, {**ROUTES, "domain": "other.lab.internal", "port": 8443, "http_port": "none"})
    assert routed.checkout.make("up", stack=STACK).code == 0
    routed.must("hosting-ticker", "--once")
    names = routed.names()
    assert names.get("shown").status == 200 and names.port == 8443
    assert routed.listed()["shown"]["url"] == "https://shown.other.lab.internal:8443"
    with pytest.raises(OSError):
        before.get("shown")
    write_stack(routed.checkout, None)
    assert routed.checkout.make("up", stack=STACK).code == 0
    routed.must("hosting-ticker", "--once")
    assert routed.listed()["shown"]["url"] is None
    left = "docker ps -aq --filter name=hypercompose-router; docker volume ls -q | grep router"
    assert routed.on_host(f"({left}; ls -d /etc/hypercompose/rout*) 2>/dev/null || true") == ""


def test_nothing_is_left_behind(routed: Routed) -> None:
    for name in routed.listed():
        routed.must("instance-delete", NAME=name)
    assert routed.checkout.make("down", stack=STACK).code == 0
