"""Odoo as an instance has it: two containers, two networks, two volumes, and what happens around them."""

from __future__ import annotations

import json
import time
import xmlrpc.client
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import pytest
from docker.errors import APIError

from lab.identity import Lab
from settings.product import load_catalogue
from tests.compose.running import Running, until, used_mib
from tests.images.built import ran

pytestmark = pytest.mark.lab  # in order: later tests stop and change what earlier ones use

ADMIN, DATABASE = "Canary adm\"in 's $HOME 🐘", "Canary db: \\ '\""
SIZE = load_catalogue()["odoo"].size("small")


@pytest.fixture(scope="module")
def shop(engine: docker.DockerClient, images: Mapping[str, str], room: Lab) -> Iterator[Running]:
    """Up and healthy."""
    own = {key: images[key] for key in ("odoo", "postgres")}  # built before the time counts
    running = Running(engine, room, "odoo", own, SIZE.variables)
    running.secret("odoo_admin_password", ADMIN)
    running.secret("odoo_db_password", DATABASE)
    try:
        assert running.up(90) < 60
        yield running
    finally:
        running.compose("down", "--volumes", "--timeout=1")


def healthy(shop: Running) -> bool:
    return shop.call("/web/health").status_code == 200


def call(shop: Running, model: str, method: str, *arguments: Any) -> Any:
    """Of the administrator, over XML-RPC."""
    server: Any = xmlrpc.client.ServerProxy(f"http://127.0.0.1:{shop.port}/xmlrpc/2/object")
    return server.execute_kw("odoo", 2, ADMIN, model, method, list(arguments))


def test_both_ports_answer_and_the_administrator_logs_in(shop: Running) -> None:
    web, websocket = shop.ports["ODOO_PORT"], shop.ports["ODOO_WEBSOCKET_PORT"]
    assert shop.call("/web/login").status_code == 200 and web != websocket
    before, shop.port = shop.port, websocket
    assert healthy(shop)
    shop.port = before
    body = {"params": {"db": "odoo", "login": "admin", "password": ADMIN}}
    answer = shop.call("/web/session/authenticate", "POST", json=body).json()
    assert answer["result"]["uid"] == 2 and answer["result"]["server_version"] == "14.0"


def test_it_stops_in_five_seconds_starts_in_fifteen_and_has_what_it_had(shop: Running) -> None:
    made = call(shop, "res.partner", "create", {"name": "Zoë 🐘"})
    file = call(shop, "ir.attachment", "create", {"name": "a", "datas": "Zmlyc3Q="})
    start = time.monotonic()
    shop.compose("stop")
    assert time.monotonic() - start < 5
    start = time.monotonic()
    shop.compose("start")
    until(lambda: shop.container("odoo").attrs["State"].get("Health", {}).get("Status") == "healthy", "healthy")
    assert time.monotonic() - start < 15
    assert call(shop, "res.partner", "read", [made], ["name"])[0]["name"] == "Zoë 🐘"
    assert call(shop, "ir.attachment", "read", [file], ["datas"])[0]["datas"] == "Zmlyc3Q="


def test_containers_can_do_no_more_than_they_need(shop: Running) -> None:
    memory = 0
    for service, container in shop.containers().items():
        host = container.attrs["HostConfig"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"], service
        assert host["Memory"] and host["PidsLimit"] and host["NanoCpus"], service
        status = ran(container, "grep", "-E", "^(Uid|CapEff|NoNewPrivs)", "/proc/1/status")[1].split()
        assert status[1] not in ("0", "") and status[-3:] == ["0" * 16, "NoNewPrivs:", "1"], service
        assert ran(container, "sh", "-c", "echo x > /usr/x || echo x > /etc/x || echo x > /mnt/x")[0] != 0, service
        memory += host["Memory"] >> 20
    assert memory == SIZE.memory_mib


def test_no_secret_is_in_a_description_a_log_or_a_command_line(shop: Running) -> None:
    described = json.dumps([one.attrs for one in shop.containers().values()], ensure_ascii=False)
    lines = [ran(one, "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/1/environ")[1] for one in shop.containers().values()]
    assert "Canary" not in described + shop.logs() + "".join(lines)


def test_the_database_is_on_a_network_without_a_way_out(shop: Running) -> None:
    assert list(shop.container("db").attrs["NetworkSettings"]["Networks"]) == [f"{shop.name}_back"]
    assert shop.engine.networks.get(f"{shop.name}_back").attrs["Internal"]
    assert not shop.container("db").attrs["HostConfig"]["PortBindings"]


@pytest.mark.parametrize("service", ["odoo", "db"])
def test_a_killed_container_is_up_again_by_itself_or_found_again(shop: Running, service: str) -> None:
    shop.container(service).kill()
    if service == "db":
        assert shop.call("/web/health").status_code >= 500
    shop.container(service).start()
    until(lambda: _answers(shop), "it answers again")
    assert call(shop, "res.users", "search_count", []) >= 1


def _answers(shop: Running) -> bool:
    try:
        return healthy(shop)
    except OSError:
        return False


def test_it_lives_in_the_memory_of_its_size(shop: Running) -> None:
    for service, container in shop.containers().items():
        used, limit = used_mib(container), container.attrs["HostConfig"]["Memory"] / 2**20
        print(f"{service}: {used:.0f} of {limit:.0f} MiB")
        assert used < limit * 0.8, service


def test_nothing_is_left_after_down(shop: Running) -> None:
    shop.compose("down", "--volumes", "--timeout=5")
    assert not shop.containers()
    for volume in ("odoo-db-data", "odoo-web-data"):
        with pytest.raises(APIError):
            shop.engine.volumes.get(f"{shop.name}_{volume}")
