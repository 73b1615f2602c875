"""Projects that are products: what the catalogue holds, and that a third one needs no line of Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from settings import SettingsError
from settings.product import Product, load_catalogue

REFERENCE = f"registry.test/{{}}@sha256:{'0' * 64}"
COMPOSE = """\
name: wiki
services:
  web:
    image: wiki
    environment: {TITLE: "${WIKI_TITLE:-}", SEATS: "${WIKI_SEATS:-5}"}
    ports: ["${WIKI_PORT:-80}:80"]
    mem_limit: ${WIKI_MEMORY:-64m}
"""
DECLARATION = """\
title: Wiki
product: wiki
ports: {web: {variable: WIKI_PORT, service: web, container: 80, health: /}}
parameters:
  WIKI_TITLE: {required: true, pattern: '.{1,40}', description: Heading of every page.}
  WIKI_SEATS: {type: integer, default: 5, minimum: 1, maximum: 50, description: How many may log in.}
  WIKI_PUBLIC: {type: boolean, default: false}
  WIKI_SKIN: {type: choice, choices: [dark, light], default: light}
  WIKI_PORT: {type: integer, default: 80}
  WIKI_MEMORY: {default: 64m}
  WIKI_PROXY: {type: boolean, default: false, platform: true}
hosting:
  version: "2"
  versions:
    "1": {images: {wiki: wiki-1}, warning: out of support}
    "2": {images: {wiki: wiki-2}}
  size: small
  sizes:
    small: {memory_mib: 64, variables: {WIKI_MEMORY: 64m}}
    large: {memory_mib: 256, variables: {WIKI_MEMORY: 256m}}
  networks: 1
  route: web
  ready_s: 30
  start_s: 10
  stop_s: 5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder such as compose/ with a product, and a project that is none."""
    write(tmp_path, "wiki", DECLARATION)
    write(tmp_path, "tool", "title: Tool\nproduct: tool\n")
    return tmp_path


@pytest.fixture
def wiki(folder: Path) -> Product:
    return load_catalogue(folder)["wiki"]


def write(folder: Path, project: str, declaration: str) -> None:
    (folder / project).mkdir(exist_ok=True)
    (folder / project / "compose.yaml").write_text(COMPOSE)
    (folder / project / "project.yaml").write_text(declaration)


def refused(folder: Path, old: str, new: str) -> str:
    """What is said of the product with other text in its declaration."""
    assert old in DECLARATION
    write(folder, "wiki", DECLARATION.replace(old, new))
    with pytest.raises(SettingsError) as raised:
        load_catalogue(folder)
    return str(raised.value)


def test_the_catalogue_ships_odoo_and_nginx() -> None:
    assert set(load_catalogue()) == {"nginx", "odoo"}


def test_a_third_product_is_two_files(folder: Path, wiki: Product) -> None:
    assert set(load_catalogue(folder)) == {"wiki"}
    assert (wiki.name, wiki.declared.title, wiki.hosting.networks) == ("wiki", "Wiki", 1)
    assert (wiki.size().memory_mib, wiki.size("large").variables) == (64, {"WIKI_MEMORY": "256m"})
    assert (wiki.version().warning, wiki.version("1").warning) == (None, "out of support")


def test_an_order_says_what_neither_the_platform_nor_the_size_says(wiki: Product) -> None:
    assert list(wiki.settings) == ["WIKI_TITLE", "WIKI_SEATS", "WIKI_PUBLIC", "WIKI_SKIN"]
    assert wiki.checked({"WIKI_TITLE": "Zoë's $(reboot) 🐘", "WIKI_SEATS": 7, "WIKI_PUBLIC": True}) == {
        "WIKI_TITLE": "Zoë's $(reboot) 🐘",
        "WIKI_SEATS": "7",
        "WIKI_PUBLIC": "true",
        "WIKI_SKIN": "light",
    }


def test_every_problem_of_an_order_is_named_at_once(wiki: Product) -> None:
    with pytest.raises(SettingsError) as raised:
        wiki.checked({"WIKI_SEATS": 51, "WIKI_SKIN": "pink", "WIKI_MEMORY": "9g", "WIKI_PROXY": True, "x": "\n"})
    assert raised.value.source == "product wiki"
    text = "\n".join(raised.value.problems)
    assert "settings.WIKI_SEATS: 51, expected an integer from 1 to 50; How many may log in" in text
    assert 'settings.WIKI_SKIN: "pink", expected one of dark, light' in text
    assert "settings.WIKI_TITLE: missing, expected text like .{1,40}; Heading of every page" in text
    assert all(f"settings.{name}: " in text for name in ("WIKI_MEMORY", "WIKI_PROXY", "x"))
    assert len(raised.value.problems) == len(text.splitlines()) == 6


def test_the_schema_takes_what_an_order_may_say(wiki: Product) -> None:
    schema = json.loads(json.dumps(wiki.schema()))
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema).is_valid
    assert check({"WIKI_TITLE": "a", "WIKI_SEATS": 7}) and schema["required"] == ["WIKI_TITLE"]
    assert not any(check(wrong) for wrong in ({}, {"WIKI_TITLE": ""}, {"WIKI_TITLE": "a", "WIKI_PROXY": True}))
    assert schema["properties"]["WIKI_SEATS"]["description"] == "How many may log in."


def test_a_version_decides_on_the_images(wiki: Product) -> None:
    for version, key in ((None, "wiki-2"), ("1", "wiki-1")):
        text = wiki.rendered(REFERENCE.format, {"a": "b"}, version)["compose.yaml"]
        assert yaml.safe_load(text)["services"]["web"]["image"] == REFERENCE.format(key)


@pytest.mark.parametrize("what", ["size", "version"])
def test_an_unknown_size_or_version_is_answered_with_those_that_are_there(wiki: Product, what: str) -> None:
    with pytest.raises(
        SettingsError, match=rf'product wiki: {what}: "3\$\(x\)", expected one of .*, .*project.yaml has'
    ):
        getattr(wiki, what)("3$(x)")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version: "2"', 'version: "3"', "one of 1, 2 as `version`, not 3"),
        ("size: small", "size: tiny", "one of small, large as `size`, not tiny"),
        ("route: web", "route: page", "names of `ports` in hosting.pairs and hosting.route, not page"),
        ("networks: 1", "pairs: [[web, push]]\n  networks: 1", "hosting.route, not push"),
        ("networks: 1", "pairs: [[web, web]]\n  networks: 1", "each port in one pair at most"),
        (
            "{WIKI_MEMORY: 64m}",
            "{WIKI_MEM: 64m}",
            "names of `parameters` in hosting.sizes.small.variables, not WIKI_MEM",
        ),
        (
            "{WIKI_MEMORY: 64m}",
            '{WIKI_SEATS: "0"}',
            "an integer from 1 to 50 as hosting.sizes.small.variables.WIKI_SEATS",
        ),
        ("ready_s: 30", "ready_s: 0", "hosting.ready_s: 0, expected greater than or equal to 1"),
        ("stop_s: 5\n", "", "hosting.stop_s: missing"),
        ("wiki-2}", "wiki-2}, external: [other]", "keys of `images` as `external` of version 2, not other"),
        ("wiki-2}", '"a b"}', "hosting.versions.2.images.wiki"),
        ("networks: 1", "netwroks: 1", "hosting.netwroks: unknown setting; did you mean `networks`?"),
    ],
)
def test_an_offer_that_cannot_be_kept_is_refused_with_its_place(folder: Path, old: str, new: str, message: str) -> None:
    said = refused(folder, old, new)
    assert "compose/wiki/project.yaml" in said and message in said


def test_problems_of_all_projects_are_told_together(folder: Path) -> None:
    write(folder, "tool", "title: Tool\n")
    said = refused(folder, "title: Wiki\n", "")
    assert "compose/tool/project.yaml: product" in said and "compose/wiki/project.yaml: title" in said


def test_settings_of_odoo_are_what_people_choose() -> None:
    odoo: Any = load_catalogue()["odoo"]
    assert set(odoo.settings) == {"ODOO_LANGUAGE", "ODOO_ADMIN_LOGIN", "ODOO_LOG_LEVEL"}
    assert odoo.hosting.pairs == (("web", "websocket"),) and odoo.hosting.final_backup == "volumes"
    assert "out of support" in odoo.version("14-postgres13").warning
    with pytest.raises(SettingsError, match="ODOO_ADMIN_LOGIN"):
        odoo.checked({"ODOO_ADMIN_LOGIN": "x'; DROP TABLE res_users;--"})
