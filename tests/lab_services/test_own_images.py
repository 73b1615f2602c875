"""Which of the project's own images a lab has, and what they start from there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab.services import bases, own_images
from lab.services.asked import asked_for
from lab.services.declared import declared
from provisioning.images.build import keys_in
from setup.places import CHECKOUT
from setup.report import SetupError

BOOKWORM, BULLSEYE = bases.base("bookworm"), bases.base("bullseye")
COMPOSE = 'services:\n  web: {image: shop-web, ports: ["1:1"]}\n  db:\n    image: "postgres"\n'
PRODUCT = 'hosting: {versions: {"14": {images: {shop-web: shop-14}}, "15": {images: {shop-web: shop-15}}}}\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("compose/shop", "environments", "sites"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "compose" / "shop" / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "compose" / "shop" / "project.yaml").write_text(PRODUCT)
    return tmp_path


def test_what_takes_long_is_had_only_where_somebody_asks() -> None:
    by_key = {"odoo": BULLSEYE}
    (group,) = own_images.groups(BOOKWORM, by_key, ())
    assert group.base == BOOKWORM and "odoo" not in group.keys and "postgres" in group.keys
    both = own_images.groups(BOOKWORM, by_key, {"odoo", "postgres"})
    assert {one.base: one.keys for one in both}[BULLSEYE] == ("odoo",)
    assert len({one.part for one in both}) == len({one.key for one in both}) == 2


def test_the_site_of_the_lab_says_what_every_image_starts_from() -> None:
    services = declared(yaml.safe_load((CHECKOUT / "sites" / "lab.yaml").read_text()), "10.1.0.1", "lab.internal")
    assert bases.suite_of(services.image_base) == "bookworm"
    assert {key: bases.suite_of(image) for key, image in services.image_bases.items()} == {"odoo": "bullseye"}
    assert set(services.image_bases) <= set(keys_in(own_images.FOLDER))


@pytest.mark.parametrize(
    "image", ["", "debian:bookworm-slim", "hypercompose/base-sid:lab", "hypercompose/base-$(x):lab"]
)
def test_a_base_that_no_lab_makes_is_refused(image: str) -> None:
    with pytest.raises(SetupError, match=r"images/bases: .*, expected one of hypercompose/base-bookworm:lab"):
        bases.suite_of(image)


def test_a_key_that_is_no_image_is_refused() -> None:
    own_images.refuse_unknown(["odoo", "postgres"])
    with pytest.raises(SetupError, match=r"own images: 'odooo', expected keys of images/: .*odoo"):
        own_images.refuse_unknown(["odooo"])


def test_a_suite_in_the_archive_is_installed_from_its_main_part_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "deb http://m.test/debian {} main",
        "deb http://m.test/debian {}-updates main",
        "deb http://s.test {}-security main",
    ]
    monkeypatch.setattr(bases, "guest_sources", lambda suite: [line.format(suite) for line in lines])
    assert bases.sources("bullseye") == ["deb http://m.test/debian bullseye main"]
    assert len(bases.sources("bookworm")) == 3


def test_nobody_asks_for_an_image_by_being_there(checkout: Path) -> None:
    assert asked_for(checkout) == set()


@pytest.mark.parametrize("file", ["Pulumi.dev.yaml", "environments/base.yaml", "sites/lab.yaml"])
@pytest.mark.parametrize(
    "text",
    ["a: {shop: {project: shop, size: small}}", "a:\n  shop:\n    project: 'shop'\n", 'a: {s: {"project": shop}}'],
)
def test_a_project_in_settings_asks_for_its_images_and_those_of_its_versions(
    checkout: Path, file: str, text: str
) -> None:
    (checkout / file).write_text(text)
    assert asked_for(checkout) == {"shop-web", "postgres", "shop-14", "shop-15"}


@pytest.mark.parametrize("text", ["", "hosting: [", "hosting: {versions: [a]}", "title: x", "- a"])
def test_a_declaration_that_says_nothing_of_images_is_left_to_others(checkout: Path, text: str) -> None:
    (checkout / "compose" / "shop" / "project.yaml").write_text(text)
    (checkout / "Pulumi.dev.yaml").write_text("project: shop\n---\nproject: gone\n")
    assert asked_for(checkout) == {"shop-web", "postgres"}
