"""What a product says of its name: the port that it leads to, paths that lead elsewhere, variables that it sets."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from settings.product import load_catalogue
from settings.project import Declaration

PRODUCT: dict[str, Any] = yaml.safe_load("""
title: Shop
product: shop
ports:
  web: {variable: WEB_PORT, service: web, container: 8080, health: /health}
  live: {variable: LIVE_PORT, service: web, container: 8081, health: /health}
parameters:
  BEHIND_PROXY: {type: boolean, default: "false", platform: true, description: Whether a proxy stands before it.}
hosting:
  version: "1"
  versions: {"1": {images: {web: web}}}
  size: small
  sizes: {small: {memory_mib: 32}}
  networks: 1
  route: web
  paths: {/live: live}
  routed: {BEHIND_PROXY: "true"}
  ready_s: 30
  start_s: 10
  stop_s: 5
""")


def declared(**hosting: Any) -> Declaration:
    return Declaration.model_validate({**PRODUCT, "hosting": {**PRODUCT["hosting"], **hosting}})


def test_a_product_says_where_its_name_and_its_paths_lead() -> None:
    hosting = declared().hosting
    assert hosting and (hosting.route, hosting.paths, hosting.routed) == (
        "web",
        {"/live": "live"},
        {"BEHIND_PROXY": "true"},
    )


@pytest.mark.parametrize("path", ["live", "/", "/live/", "/a b", "/a;", "/$uri", "/../a", "/a\nb", "", "/ünï"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="paths"):
        declared(paths={path: "live"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"paths": {"/live": "elsewhere"}}, "names of `ports` in hosting.paths, not elsewhere"),
        ({"routed": {"NO_SUCH": "1"}}, "names of `parameters` in hosting.routed, not NO_SUCH"),
        ({"routed": {"BEHIND_PROXY": "$(reboot)"}}, "true or false as hosting.routed.BEHIND_PROXY"),
        ({"route": None}, "`route`, the port that a name leads to"),
    ],
)
def test_what_a_project_has_not_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        declared(**changes)
    assert said in str(refused.value)


def test_what_a_name_sets_is_not_for_those_who_order() -> None:
    odoo = load_catalogue()["odoo"]
    assert odoo.hosting.routed == {"ODOO_PROXY": "true"} and "ODOO_PROXY" not in odoo.settings
    assert odoo.hosting.paths == {"/longpolling": "websocket", "/websocket": "websocket"}
