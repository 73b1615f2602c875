"""An Odoo by settings alone: a VM, Portainer, a stack of a product; people log in, and their records outlive a stop."""

from __future__ import annotations

import re
import shlex
import time
import xmlrpc.client
from typing import Any

import pytest
import requests

from tests.lab.checkout import NET, SITE, Checkout

pytestmark = [pytest.mark.lab, pytest.mark.soak]  # in order: each test goes on where the one before ended
STACK, HOST, ADDRESS = "odoo", "vm-odoo", f"{NET}.0.71"
SOURCES = [f"{NET}.0.0/24"]
WEB, WEBSOCKET = 8069, 8070
SHOP: dict[str, Any] = {
    "project": "odoo",
    "size": "small",
    "version": "14",
    "ports": {"web": WEB, "websocket": WEBSOCKET},
    "sources": SOURCES,
    "env": {"ODOO_ADMIN_LOGIN": "chef@example.com"},
}
HOSTILE = "Zoë 🐘'); DROP TABLE res_partner;-- $(reboot)"


def write_stack(checkout: Checkout, **change: Any) -> None:
    vm = {
        "name": HOST,
        "first_id": 2100,
        "memory_mib": 4096,
        "networks": [{"bridge": "vmbr0", "address": f"{ADDRESS}/24"}],
    }
    keys: dict[str, Any] = {
        "site": SITE,
        "vms": [vm],
        "baseline": {"packages": ["ca-certificates"], "firewall": {}},
        "docker": {},
        "portainer": {"sources": SOURCES},
        "stacks": {"shop": {**SHOP, **change}},
    }
    checkout.write_settings(STACK, **keys)


def up(checkout: Checkout, **change: Any) -> str:
    write_stack(checkout, **change)
    done = checkout.make("up", stack=STACK)
    assert done.code == 0, done.why
    return done.text


def admin_password(checkout: Checkout) -> str:
    """As the operator reads it on the host."""
    file = "/etc/hypercompose/stacks/shop/secrets/odoo_admin_password"
    done = checkout.ssh(checkout.hosts(STACK)[HOST], f"sudo cat {file}")
    assert done.code == 0, done.text
    return done.text.removesuffix("\n")


class Shop:
    """Odoo as a program of its users sees it."""

    def __init__(self, password: str) -> None:
        self._password = password
        found = self._server("common").authenticate("odoo", "chef@example.com", password, {})
        assert isinstance(found, int) and found > 0
        self._user = found

    def call(self, model: str, method: str, *arguments: Any) -> Any:
        return self._server("object").execute_kw("odoo", self._user, self._password, model, method, list(arguments))

    def _server(self, what: str) -> Any:
        return xmlrpc.client.ServerProxy(f"http://{ADDRESS}:{WEB}/xmlrpc/2/{what}", allow_none=True)


def status(port: int, path: str = "/web/login") -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"http://{ADDRESS}:{port}{path}", timeout=10).status_code


def told(text: str, word: str) -> float:
    """Seconds that the stack took, as `make up` shows it."""
    found = re.findall(rf"Stack shop(?:-gate)? {word} \((\d+)s\)", text)
    assert found, text
    return max(map(float, found))


def test_settings_alone_bring_a_shop_up(checkout: Checkout) -> None:
    text = up(checkout)
    assert f"shop web: http://{ADDRESS}:{WEB}" in text
    assert "Odoo 14 has been out of support since November 2023" in text
    print(f"the stack from nothing to healthy: {told(text, 'created'):.0f} s")
    assert told(text, "created") < 90
    assert [status(WEB), status(WEB, "/web/health"), status(WEBSOCKET, "/web/health")] == [200, 200, 200]


def test_a_record_outlives_a_stop_and_a_start(checkout: Checkout) -> None:
    password = admin_password(checkout)
    partner = Shop(password).call("res.partner", "create", {"name": HOSTILE})
    up(checkout, run="stopped")
    with pytest.raises(requests.ConnectionError):
        status(WEB)
    began = time.monotonic()
    up(checkout)
    print(f"started again after {time.monotonic() - began:.1f} s, all of `make up`")
    assert Shop(password).call("res.partner", "read", [partner], ["name"])[0]["name"] == HOSTILE


def test_the_second_time_nothing_changes(checkout: Checkout) -> None:
    assert re.search(r"Resources:\n +\d+ unchanged\n", up(checkout))


def test_no_secret_is_in_a_description_a_log_or_a_command_line(checkout: Checkout) -> None:
    password, host = admin_password(checkout), checkout.hosts(STACK)[HOST]
    containers = "docker ps -q --filter label=hypercompose.product=odoo"
    look = f"{containers} | xargs docker inspect; {containers} | xargs -n1 docker logs 2>&1; cat /proc/[0-9]*/cmdline"
    said = checkout.ssh(host, f"sudo bash -c {shlex.quote(look)} | tr '\\0' ' '")
    assert said.code == 0 and "hypercompose.product" in said.text
    assert password not in said.text
