"""A stack that is an instance of a product, by settings alone: its version, its size, its values."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.settings.test_stacks import DIGEST, REGISTRY, SOURCES, refused, site, stack, write_lock

__all__ = ["site"]
SHOP: dict[str, Any] = {
    "project": "odoo",
    "size": "medium",
    "version": "14",
    "ports": {"web": 8070, "websocket": 8071},
    "sources": SOURCES,
}


def images(found: Any) -> dict[str, str]:
    services = yaml.safe_load(found.files["compose.yaml"])["services"]
    return {name: service["image"] for name, service in services.items()}


def test_a_size_and_ports_are_variables_and_images_are_those_of_the_version() -> None:
    found = stack(**SHOP)
    assert (found.env["ODOO_MEMORY"], found.env["ODOO_WORKERS"], found.env["ODOO_DB_MEMORY"]) == ("1024m", "4", "512m")
    assert (found.env["ODOO_PORT"], found.env["ODOO_WEBSOCKET_PORT"]) == ("8070", "8071")
    assert images(found) == {"odoo": f"{REGISTRY}/team/odoo@{DIGEST}", "db": f"{REGISTRY}/team/postgres@{DIGEST}"}
    assert set(found.secrets) == {"odoo_db_password", "odoo_admin_password"}
    assert found.health == {"web": "/web/health", "websocket": "/web/health"}
    assert found.warning == "Odoo 14 has been out of support since November 2023"


def test_without_a_word_it_is_the_default_size_and_version() -> None:
    plain = stack(**{key: value for key, value in SHOP.items() if key not in ("size", "version")})
    assert plain.env == stack(**{**SHOP, "size": "small"}).env and plain.files == stack(**SHOP).files


def test_values_of_its_variables_are_checked_by_their_types() -> None:
    assert stack(**SHOP, env={"ODOO_LANGUAGE": "de_DE"}).env["ODOO_LANGUAGE"] == "de_DE"
    said = refused(**SHOP, env={"ODOO_LANGUAGE": "xx", "ODOO_ADMIN_LOGIN": "$(reboot)"})
    assert 'stacks.shop.env.ODOO_LANGUAGE: "xx", expected one of en_US, de_DE' in said
    assert 'stacks.shop.env.ODOO_ADMIN_LOGIN: "$(reboot)", expected text like' in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": "huge"}, 'size: "huge", expected one of small, medium, large'),
        ({"version": "15"}, 'version: "15", expected one of 14, 14-postgres13'),
        ({"env": {"ODOO_MEMORY": "9g"}}, "ODOO_MEMORY: is what a size says; choose another `size`"),
        ({"env": {"ODOO_PORT": "1"}}, "ODOO_PORT: is the number of a port; give it under `ports`"),
        ({"version": "14-postgres13"}, "images.postgres-13: not there"),
        ({"project": "guestbook", "version": None, "ports": {"web": 8070}}, "expected a project that is a product"),
        ({"project": None, "inline": "services: {web: {image: nginx}}", "size": None}, "a project that is a product"),
    ],
)
def test_what_a_product_does_not_offer_is_refused(change: dict[str, Any], message: str) -> None:
    assert message in refused(**{**SHOP, **change})


def test_a_version_of_others_images_is_accepted_where_the_site_names_them(site: Any, tmp_path: Any) -> None:
    write_lock(tmp_path / "images.lock.yaml", "portainer", "odoo", "postgres-13")
    found = stack(**{**SHOP, "version": "14-postgres13"})
    assert images(found)["db"] == f"{REGISTRY}/team/postgres-13@{DIGEST}"
    assert "PostgreSQL 13 since November 2025" in found.warning
