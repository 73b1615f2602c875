"""Projects of compose/: what is refused, and what becomes of their files."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioning.compose.text import load_compose
from settings import SettingsError
from settings.project import Project, render

DECLARATION = """\
title: Shop
product: shop
ports:
  web: {variable: SHOP_PORT, service: web, container: 8080, health: /health}
secrets:
  db_password: {generate: 24}
parameters:
  log_level: {default: info}
"""
COMPOSE = """\
# A comment that stays here.
name: shop
x-confined: &confined
  read_only: true
  cap_drop: [ALL]
services:
  web: {<<: *confined, image: shop-web, ports: ["${SHOP_PORT:-8080}:8080"]}
  db:
    <<: *confined
    image: postgres
    labels: {team: blue}
volumes:
  data:
"""
LABELS = {"hypercompose.env": "dev", "hypercompose.stack": "shop-1"}
KEYS = ("shop-web", "postgres")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder such as compose/ with one project."""
    write(tmp_path, **{"project.yaml": DECLARATION, "compose.yaml": COMPOSE})
    return tmp_path


def write(folder: Path, project: str = "shop", **files: str) -> None:
    for name, text in files.items():
        (folder / project / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / project / name).write_text(text)


def reference(key: str) -> str:
    """As the image lock does it."""
    if key not in KEYS:
        near = difflib.get_close_matches(key, KEYS, n=1)
        raise ValueError(f"lock.yaml: images.{key}: not there; did you mean {near[0] if near else 'nothing'!r}?")
    return f"registry.test/{key}@sha256:{'0' * 64}"


def refused(folder: Path, labels: Mapping[str, str] = LABELS) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        Project("shop", folder).rendered(reference, labels)
    return raised.value


def rendered(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Project("shop", folder).rendered(reference, LABELS)["compose.yaml"])
    return found


def rendered_text(text: str, labels: Mapping[str, str] = LABELS) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(render("inline", load_compose(text), reference, labels))
    return found


def test_a_declaration_is_read_with_its_defaults(folder: Path) -> None:
    declared = Project("shop", folder).declared
    assert (declared.title, declared.product, declared.ports["web"].variable) == ("Shop", "shop", "SHOP_PORT")
    assert (declared.secrets["db_password"].generate, declared.secrets["db_password"].variable) == (24, False)
    assert declared.parameters["log_level"].default == "info"


def test_an_unknown_project_is_answered_with_those_that_are_there(folder: Path) -> None:
    write(folder, "blog", **{"compose.yaml": COMPOSE})
    write(folder, "notes", **{"readme.txt": "no project"})
    with pytest.raises(SettingsError, match=r"compose/shpo: no compose.yaml there; projects are blog, shop$"):
        Project("shpo", folder)


def test_where_there_are_no_projects_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="projects are none"):
        Project("shop", tmp_path)


@pytest.mark.parametrize("name", ["project.yaml", "compose.yaml"])
@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\t- x", "a: *nowhere"])
def test_a_file_that_is_not_yaml_is_named_in_one_line(folder: Path, name: str, text: str) -> None:
    write(folder, **{name: text})
    error = refused(folder)
    assert error.source == f"compose/shop/{name}"
    assert error.problems[0].startswith("cannot be read as YAML: ") and "\n" not in str(error)


def test_a_project_without_a_declaration_is_refused(folder: Path) -> None:
    (folder / "shop" / "project.yaml").unlink()
    assert "compose/shop/project.yaml: cannot be read as YAML" in str(refused(folder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("title: Shop\n", ""), "title: missing, expected for people"),
        (("product:", "prodct:"), "prodct: unknown setting; did you mean `product`?"),
        (("container: 8080", "container: 0"), "ports.web.container: 0, expected greater than or equal to 1"),
        (("health: /health", "health: health"), "ports.web.health"),
        (("SHOP_PORT", "SHOP-PORT"), "ports.web.variable"),
        (("generate: 24", "generate: 4"), "secrets.db_password.generate: 4"),
        (("service: web, ", ""), "ports.web.service: missing, expected service behind it"),
        (("default: info", "defautl: info"), "parameters.log_level.defautl: unknown setting; did you mean `default`?"),
    ],
)
def test_a_wrong_declaration_is_refused_with_file_and_place(
    folder: Path, change: tuple[str, str], message: str
) -> None:
    write(folder, **{"project.yaml": DECLARATION.replace(*change)})
    assert f"compose/shop/project.yaml: {message}" in str(refused(folder))


@pytest.mark.parametrize("text", ["", "- a", "services: {}", "services: [web]", "volumes: {data: }", "text"])
def test_what_is_no_compose_file_is_refused(folder: Path, text: str) -> None:
    write(folder, **{"compose.yaml": text})
    assert "compose/shop/compose.yaml: services: missing, expected a mapping of services" in str(refused(folder))


@pytest.mark.parametrize("service", ["{}", "{build: .}", "", "text", "[image]"])
def test_a_service_without_an_image_is_named(folder: Path, service: str) -> None:
    write(folder, **{"compose.yaml": f"services: {{web: {service}}}"})
    assert "services.web.image: missing, expected a key of the image lock" in str(refused(folder))


def test_an_unknown_image_is_answered_with_the_nearest_key_and_all_are_told(folder: Path) -> None:
    write(folder, **{"compose.yaml": COMPOSE.replace("shop-web", "shop-wbe").replace("image: postgres", "image: x")})
    first, second = refused(folder).problems
    assert first.startswith("services.web.image: ") and "did you mean 'shop-web'" in first
    assert second.startswith("services.db.image: ") and "images.x: not there" in second


def test_keys_become_references_by_digest_and_labels_are_added_to_those_that_are_there(folder: Path) -> None:
    services = rendered(folder)["services"]
    assert services["web"]["image"] == f"registry.test/shop-web@sha256:{'0' * 64}"
    assert services["web"]["labels"] == LABELS and services["db"]["labels"] == {"team": "blue", **LABELS}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("[team=blue, 'note=a=b', bare]", {"team": "blue", "note": "a=b", "bare": ""}),
        ("[]", {}),
        ("{team: blue}", {"team": "blue"}),
        ("", {}),
    ],
)
def test_labels_may_be_a_list_or_a_mapping(labels: str, expected: dict[str, str]) -> None:
    text = f"services: {{db: {{image: postgres, labels: {labels}}}}}"
    assert rendered_text(text)["services"]["db"]["labels"] == {**expected, **LABELS}


def test_a_label_of_the_platform_wins() -> None:
    text = "services: {db: {image: postgres, labels: [hypercompose.env=theirs]}}"
    assert rendered_text(text)["services"]["db"]["labels"] == LABELS


def test_extensions_are_dropped_and_anchors_written_out(folder: Path) -> None:
    text = Project("shop", folder).rendered(reference, LABELS)["compose.yaml"]
    content = yaml.safe_load(text)
    assert list(content) == ["name", "services", "volumes"]
    assert not {"&", "*", "<<"} & set(text.replace("${", "").split()) and "&id" not in text and "x-confined" not in text
    assert all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in content["services"].values())


def test_variables_stay_for_compose_to_fill_in(folder: Path) -> None:
    assert rendered(folder)["services"]["web"]["ports"] == ["${SHOP_PORT:-8080}:8080"]


def test_a_published_file_says_where_it_comes_from(folder: Path) -> None:
    text = Project("shop", folder).rendered(reference, LABELS)["compose.yaml"]
    assert text.startswith("# Published by Hypercompose from compose/shop; changes made here are overwritten.\n")
    assert "A comment that stays here" not in text


def test_the_same_project_is_rendered_to_the_same_bytes(folder: Path) -> None:
    once, again = (Project("shop", folder).rendered(reference, LABELS) for _ in range(2))
    assert once == again and list(once) == list(again)


def test_other_files_are_published_as_they_are_and_the_declaration_is_not(folder: Path) -> None:
    write(folder, **{"conf/some_dir/my_file.conf": "a = ${B}\n", "init.sql": "SELECT 'ü';\n", "compose.yaml": COMPOSE})
    files = Project("shop", folder).rendered(reference, LABELS)
    assert sorted(files) == ["compose.yaml", "conf/some_dir/my_file.conf", "init.sql"]
    assert (files["conf/some_dir/my_file.conf"], files["init.sql"]) == ("a = ${B}\n", "SELECT 'ü';\n")


def test_text_beyond_ascii_and_long_lines_survive() -> None:
    wanted = {"NAME": "Zoë 🐘", "LONG": " ".join(["word"] * 60), "QUOTE": "a'b\"c"}
    text = json.dumps({"services": {"db": {"image": "postgres", "environment": wanted}}}, ensure_ascii=False)
    assert rendered_text(text)["services"]["db"]["environment"] == wanted


def test_texts_that_look_like_numbers_stay_texts() -> None:
    text = "services: {db: {image: postgres, environment: {A: '0123', B: 'on', C: '1e3', D: '22:22', E: 'null'}}}"
    found = rendered_text(text)["services"]["db"]["environment"]
    assert found == {"A": "0123", "B": "on", "C": "1e3", "D": "22:22", "E": "null"}


def test_ports_without_quotes_mean_what_compose_takes_them_for() -> None:
    assert rendered_text("services: {db: {image: postgres, ports: [2222:22]}}")["services"]["db"]["ports"] == [
        "2222:22"
    ]


@pytest.mark.parametrize("word", ["on", "off", "yes", "no"])
def test_words_without_quotes_mean_what_compose_takes_them_for(word: str) -> None:
    text = f"services: {{db: {{image: postgres, environment: {{FLAG: {word}}}}}}}"
    written = render("inline", load_compose(text), reference, LABELS)
    assert f"FLAG: {word}" in written or f"FLAG: '{word}'" in written


def test_a_file_that_is_no_text_is_refused_by_name(folder: Path) -> None:
    (folder / "shop" / "icon.png").write_bytes(b"\x89PNG\xff\xfe")
    assert "icon.png" in str(refused(folder))


def test_a_date_that_is_none_is_text(folder: Path) -> None:
    write(folder, **{"compose.yaml": COMPOSE + "since: 2001-99-99\n"})
    assert rendered(folder)["since"] == "2001-99-99"


@pytest.mark.parametrize("labels", ["team=blue", "5"])
def test_labels_of_another_form_are_refused_by_service(labels: str) -> None:
    text = f"services: {{db: {{image: postgres, labels: {labels}}}}}"
    with pytest.raises(SettingsError, match=r"services.db.labels"):
        render("inline", load_compose(text), reference, LABELS)


@pytest.mark.parametrize(("number", "value"), [("0440", 0o440), ("1_000", 1000), ("0b11", 3)])
def test_numbers_without_quotes_mean_what_compose_takes_them_for(number: str, value: int) -> None:
    content = load_compose(f"services: {{db: {{image: postgres, secrets: [{{source: a, mode: {number}}}]}}}}")
    written = yaml.safe_load(render("inline", content, reference, LABELS))
    assert written["services"]["db"]["secrets"] == [{"source": "a", "mode": value}]
