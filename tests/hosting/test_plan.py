"""From an order to a compose stack: images of its version, limits of its size, its ports, and nothing hostile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hosting import plan as module
from hosting.errors import DemandRefused
from hosting.plan import instance_plan, ready_s
from hosting.switch import images_of
from settings import SettingsError, load_site, product, project
from settings.site import Site
from tests.hosting.orders import order
from tests.hosting.world import HOSTILE
from tests.settings.conftest import lab_site

__all__ = ["lab_site"]
PROJECT = """
title: Shop
product: shop
ports: {web: {variable: SHOP_PORT, service: web, container: 80, health: /}}
secrets: {token: {generate: 24, variable: true}}
parameters:
  SHOP_PORT: {type: integer, default: "80", platform: true}
  SHOP_TITLE: {default: "A shop", description: What its page says.}
  SHOP_MEMORY: {default: 8m, platform: true}
hosting:
  version: "2"
  versions: {"1": {images: {web: nginx}}, "2": {images: {web: odoo}}}
  size: s
  sizes: {s: {memory_mib: 8, variables: {SHOP_MEMORY: 8m}}, l: {memory_mib: 64, variables: {SHOP_MEMORY: 64m}}}
  networks: 1
  ready_s: 2
  start_s: 2
  stop_s: 2
"""
COMPOSE = """
services:
  web: {image: web, ports: ["${SHOP_PORT}:80"], environment: {TITLE: "${SHOP_TITLE}"}, mem_limit: "${SHOP_MEMORY}"}
"""


@pytest.fixture
def site(lab_site: Path) -> Site:
    return load_site("lab")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of one product that is none of ours, without a line of Python."""
    folder = tmp_path / "compose" / "shop"
    folder.mkdir(parents=True)
    (folder / "project.yaml").write_text(PROJECT)
    (folder / "compose.yaml").write_text(COMPOSE)
    for where in (product.load_catalogue, project.Project.__init__):
        monkeypatch.setattr(where, "__defaults__", (folder.parent,))
    return folder


def services(found: Any) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(found.inline)["services"]
    return content


def test_an_odoo_is_a_text_with_its_images_ports_limits_and_labels(site: Site) -> None:
    found = instance_plan(order("odoo", tenant="acme"), site)
    assert (found.name, found.host, found.files, found.git) == ("i-shop", "srv", None, None)
    assert set(services(found)) == {"odoo", "db"}
    assert found.ports == {"web": 20000, "websocket": 20001}
    assert (found.env["ODOO_PORT"], found.env["ODOO_WEBSOCKET_PORT"]) == ("20000", "20001")
    assert (found.env["ODOO_MEMORY"], found.env["ODOO_DB_MEMORY"], found.env["ODOO_WORKERS"]) == ("512m", "192m", "2")
    assert set(found.secrets) == {"odoo_db_password", "odoo_admin_password"}
    assert found.settings.timeout_s == 270 and not found.settings.keep_volumes
    for service in services(found).values():
        assert service["labels"] == {
            "hypercompose.env": "dev",
            "hypercompose.stack": "i-shop",
            "hypercompose.tenant": "acme",
            "hypercompose.instance": "shop",
            "hypercompose.product": "odoo",
        }
        assert "@sha256:" in service["image"]


def test_an_nginx_needs_no_secrets_and_its_settings_are_variables(site: Site) -> None:
    found = instance_plan(order("nginx", size="medium", settings={"NGINX_LOG_LEVEL": "info"}), site)
    assert found.secrets == {} and found.ports == {"web": 20000}
    assert (found.env["NGINX_LOG_LEVEL"], found.env["NGINX_MEMORY"], found.env["NGINX_PORT"]) == (
        "info",
        "64m",
        "20000",
    )


def test_images_are_those_of_the_version_asked_for(site: Site, shop: Path) -> None:
    plans = {version: instance_plan(order("shop", version=version, size="s"), site) for version in "12"}
    images = {version: images_of(plan.inline or "") for version, plan in plans.items()}
    assert {version: set(found) for version, found in images.items()} == {"1": {"web"}, "2": {"web"}}
    assert "/nginx@" in images["1"]["web"] and "/odoo@" in images["2"]["web"]


def test_a_third_product_is_a_folder_of_data(site: Site, shop: Path) -> None:
    found = instance_plan(order("shop", version="2", size="l", settings={"SHOP_TITLE": "$(reboot) ünï"}), site)
    assert (found.env["SHOP_MEMORY"], found.env["SHOP_PORT"]) == ("64m", "20000")
    assert found.env["SHOP_TITLE"] == "$(reboot) ünï"
    assert "reboot" not in (found.inline or "")  # a value is never part of the text
    assert found.secrets["token"].variable
    assert found.settings.timeout_s == 10  # a stack's least; its product says two seconds
    assert ready_s(order("shop")) == 6.0


def test_a_product_with_more_files_than_one_is_refused(site: Site, shop: Path) -> None:
    (shop / "nginx.conf").write_text("x")
    with pytest.raises(SettingsError, match=r"compose/shop: nginx\.conf: expected compose\.yaml alone"):
        instance_plan(order("shop", version="2", size="s"), site)


def test_one_that_is_to_be_stopped_is_declared_so_and_volumes_stay_where_that_is_wanted(site: Site) -> None:
    found = instance_plan(order(run="stopped", keep_volumes=True), site).settings
    assert (found.run, found.keep_volumes) == ("stopped", True)
    assert instance_plan(order(run="$(reboot)"), site).settings.run == "started"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["tenant", "name"])
def test_hostile_names_are_refused_by_field_in_one_sentence(site: Site, field: str, text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        instance_plan(order(**{field: text}), site)
    label = {"tenant": "tenant", "name": "instance"}[field]
    (problem,) = raised.value.problems
    assert problem.startswith(f"{label}: ") and "expected" in problem and "pydantic" not in problem


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"product": "$(reboot)"}, "PRODUCT=$(reboot): expected one of nginx, odoo"),
        ({"version": "0"}, 'version: "0", expected one of 1.22'),
        ({"size": "$(reboot)"}, 'size: "$(reboot)", expected one of small, medium'),
        ({"settings": {"NGINX_LOG_LEVEL": "$(reboot)"}}, 'settings.NGINX_LOG_LEVEL: "$(reboot)", expected one of info'),
        ({"settings": {"NGINX_MEMORY": "9g"}}, "settings.NGINX_MEMORY: "),  # the platform's to say
        ({"settings": {"NGINX_PORT": "22"}}, "settings.NGINX_PORT: "),
        ({"settings": {"$(reboot)": "1"}}, "settings.$(reboot): "),
        ({"ports": {"web": 70000}}, "ports.web: 70000, expected "),
        ({"ports": {"$(reboot)": 20000}}, "ports.$(reboot)"),
        ({"ports": {"web": 20000, "admin": 20001}}, "ports.admin: 20001, expected one of web"),
    ],
)
def test_what_cannot_be_is_refused_by_field(site: Site, other: dict[str, Any], said: str) -> None:
    with pytest.raises((SettingsError, DemandRefused)) as raised:
        instance_plan(order(**other), site)
    assert said in str(raised.value)


def test_an_image_that_nobody_has_locked_is_refused_with_its_service(site: Site, lab_site: Path) -> None:
    lock = lab_site.parent / "site.images.yaml"
    lock.write_text(lock.read_text().replace("nginx", "other"))
    with pytest.raises(SettingsError, match=r"services\.web\.image: "):
        instance_plan(order(), site)


def test_the_deadline_of_a_stack_is_never_longer_than_a_stack_may_take(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 1000.0)
    assert instance_plan(order(), site).settings.timeout_s == 3600
