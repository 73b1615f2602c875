"""A commit made ready: what is refused and how, what is pinned, which marks change with what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provisioning.compose.model import Model
from provisioning.gate import candidate as module
from provisioning.gate.candidate import MARK, Candidate, Refusal, _release, folder_of, key_of, prepare
from provisioning.gate.engine import EngineError
from provisioning.host import Result
from tests.provisioning.gate.world import SALT, SECRETS, World, compose, digest, gated

HOSTILE = ["$(reboot)", "`id`", "a'b\"c", "line\nline", "tab\there", "ünïcode 🐘", "--flag", "$HOME", "$$", "%s", ""]
BASE: dict[str, Any] = {
    "name": "shop",
    "services": {
        "web": {"image": "r/web:1", "environment": {"LEVEL": "info"}, "networks": {"default": None}},
        "db": {
            "image": "r/db:1",
            "configs": [{"source": "conf", "target": "/c"}],
            "secrets": [{"source": "key", "target": "/k"}],
        },
    },
    "configs": {"conf": {"name": "shop_conf", "content": "a"}, "other": {"content": "z"}},
    "secrets": {"key": {"name": "shop_key", "file": "/etc/key"}},
    "networks": {"default": {"name": "shop_default"}},
}
IMAGES = {"web": f"r/web:1@{digest('1')}", "db": f"r/db:1@{digest('2')}"}


def ready(world: World, *text: str, files: dict[str, bytes] | None = None, **settings: Any) -> Candidate:
    world.source.push(*text, **(files or {}))
    return prepare(gated(**settings), world.source.fetch(""), world.engine, salt=SALT, by="poll")  # type: ignore[arg-type]


def content(found: Candidate) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(found.text.partition("\n")[2])
    return loaded


def marks(images: dict[str, str] = IMAGES, salt: bytes = SALT, **services: dict[str, Any]) -> dict[str, str]:
    """Of BASE, with changes to services."""
    whole = json.loads(json.dumps(BASE))
    for name, changes in services.items():
        whole["services"][name] |= changes
    return _release(Model(whole), images, salt)[1]


def refusal(world: World, *text: str, files: dict[str, bytes] | None = None, **settings: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        ready(world, *text, files=files, **settings)
    return refused.value


def test_a_release_is_composes_own_form_with_images_pinned_and_containers_marked(world: World) -> None:
    found = ready(world, compose("1"))
    web = content(found)["services"]["web"]
    assert found.text.startswith(f"# Release of {found.version.commit} for the stack shop:")
    assert web["image"] == f"r/web:1@{digest('r/web:1')}" == found.version.images["web"]
    assert web["pull_policy"] == "never"
    assert web["labels"] == {MARK: found.version.marks["web"]}
    assert (found.version.author, found.version.subject, found.version.by) == ("A <a@b>", "why", "poll")
    assert (found.version.scales, found.version.tags) == ({"web": 1}, {"web": "r/web:1"})


def test_labels_of_its_own_stay_and_a_build_section_goes(world: World) -> None:
    text = "services: {web: {image: 'r/web:1', build: {context: .}, labels: {a: b}}}"
    web = content(ready(world, text))["services"]["web"]
    assert set(web["labels"]) == {"a", MARK} and "build" not in web


@pytest.mark.parametrize("value", HOSTILE)
def test_values_arrive_byte_for_byte_with_each_dollar_doubled_as_compose_writes_it(world: World, value: str) -> None:
    text = "services: {web: {image: 'r/web:1', environment: {A: '${LEVEL}'}}}"
    found = ready(world, text, env={"LEVEL": value})
    assert content(found)["services"]["web"]["environment"]["A"] == value.replace("$", "$$")


@pytest.mark.parametrize("name", ["$(reboot)", "a'b\"c", "ü 🐘", "line\nline"])
def test_names_of_files_and_of_services_are_text(world: World, name: str) -> None:
    text = json.dumps({"services": {name: {"image": "r/web:1"}}})
    found = ready(world, text, files={name: b"x"})
    assert list(content(found)["services"]) == [name] == list(found.version.marks)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: [", "compose files: "),
        ("services: {}", "services: none is left to run; expected one at least"),
        ("services: {web: {image: 'r/web:1', scale: 0}}", "services: none is left to run"),
        ("services: {web: {build: .}}", "services.web.image: none, expected an image of a registry"),
        (
            "{services: {web: {image: 'r/web:1'}}, secrets: {k: {environment: K}}}",
            "secrets.k.environment: K, expected `file` or `external`",
        ),
        ("{services: {web: {image: 'r/web:1'}}, configs: {k: {environment: K}}}", "configs.k.environment: K"),
        ("services: {web: {image: 'r/web:1', volumes: [{type: bind, source: /etc}]}}", "services.web.volumes: /etc"),
    ],
)
def test_what_no_waiting_mends_is_refused_for_good(world: World, text: str, said: str) -> None:
    found = refusal(world, text)
    assert said in str(found) and not found.again


def test_a_path_that_is_not_there_is_named_with_what_is(world: World) -> None:
    found = refusal(world, files={"conf.yaml": b"x"})
    assert (
        str(found) == "path compose.yaml: not in refs/heads/main, which has conf.yaml; move it back, or change `path`"
    )
    assert not found.again
    assert "path more.yaml" in str(refusal(world, compose("1"), additional=["more.yaml"]))
    assert "which has nothing" in str(refusal(world))


@pytest.mark.parametrize("binary", [b"\0\1", b"services: \xff"])
def test_a_compose_file_has_to_be_text_and_other_files_need_not(world: World, binary: bytes) -> None:
    found = refusal(world, files={"compose.yaml": binary})
    assert str(found) == "path compose.yaml: is no UTF-8 text, which a compose file must be" and not found.again
    assert ready(world, compose("1"), files={"logo.png": binary})


def test_a_port_that_is_taken_may_become_free(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "services: {web: {image: 'r/web:1', ports: [{published: '80', protocol: tcp}]}}"
    look = world.look

    def taken(*arguments: Any) -> Result:
        done = look(*arguments)
        return Result(0, done.stdout.replace("\ncontainers\n", "\ntcp 0.0.0.0:80\ncontainers\n"), "")

    monkeypatch.setattr(module, "run", taken)
    found = refusal(world, text)
    assert str(found).startswith("port 80/tcp: taken by another program") and found.again
    worse = refusal(world, text.replace("ports:", "volumes: [{type: bind, source: /etc}], ports:"))
    assert "port 80/tcp" in str(worse) and not worse.again


def test_a_compose_that_does_not_end_is_asked_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*arguments: Any) -> Result:
        raise EngineError("bash -s: did not end within 60 s")

    monkeypatch.setattr(module, "run", late)
    assert refusal(world, compose("1")).again


def test_an_image_that_no_registry_has_is_asked_for_again(world: World) -> None:
    world.missing = {"r/web:1"}
    found = refusal(world, compose("1"))
    assert str(found) == "image r/web:1: manifest unknown; push it, or correct its name" and found.again


def test_an_image_by_digest_that_is_here_needs_no_registry(world: World) -> None:
    image = f"r/web@{digest('1')}"
    world.engine.images, world.missing = {image}, {"r/web"}
    assert ready(world, compose("1").replace("r/web:1", image)).version.images == {"web": image}
    world.engine.images, world.missing = set(), set()
    assert ready(world, compose("1").replace("r/web:1", image)).version.images == {"web": image}


def test_an_image_that_is_never_pulled_has_to_be_here(world: World) -> None:
    text = "services: {web: {image: 'local:1', pull_policy: never}}"
    found = refusal(world, text)
    assert str(found).startswith("image local:1: not on this host, and `pull_policy: never`") and found.again
    world.engine.images = {"local:1"}
    assert ready(world, text).version.images == {"web": "local:1"}


def test_marks_stay_where_nothing_changes_and_change_with_what_a_container_is_made_from() -> None:
    before = marks()
    assert marks() == before and len(set(before.values())) == 2
    changed = marks(web={"environment": {"LEVEL": "debug"}})
    assert changed["web"] != before["web"] and changed["db"] == before["db"]
    assert marks({**IMAGES, "db": f"r/db:1@{digest('3')}"})["db"] != before["db"]


def test_a_mark_changes_with_the_content_of_its_configs_and_secrets_alone() -> None:
    before, whole = marks(), json.loads(json.dumps(BASE))
    whole["configs"]["other"]["content"] = "y"
    assert _release(Model(whole), IMAGES, SALT)[1] == before
    whole["configs"]["conf"]["content"] = "b"
    assert _release(Model(whole), IMAGES, SALT)[1]["db"] != before["db"]


def test_marks_do_not_depend_on_the_order_of_keys_and_the_content_given_is_left_alone() -> None:
    turned = json.loads(json.dumps(BASE, sort_keys=True))
    assert _release(Model(turned), IMAGES, SALT)[1] == marks()
    given = json.loads(json.dumps(BASE))
    _release(Model(given), IMAGES, SALT)
    assert given == BASE


def test_a_service_scaled_to_nothing_is_in_the_release_without_a_mark() -> None:
    whole = json.loads(json.dumps(BASE))
    whole["services"]["db"]["scale"] = 0
    content, found = _release(Model(whole), {"web": IMAGES["web"]}, SALT)
    assert list(found) == ["web"] and MARK not in content["services"]["db"].get("labels", {})


def test_a_mark_or_a_key_is_of_no_use_for_guessing_secrets_without_the_hosts_salt() -> None:
    assert marks(salt=b"another") != marks()
    assert key_of(gated(), "c1", b"another") != key_of(gated(), "c1", SALT)


def test_another_commit_path_variable_or_folder_is_another_release_and_another_interval_is_not() -> None:
    before = key_of(gated(), "c1", SALT)
    others = [
        key_of(gated(), "c2", SALT),
        key_of(gated(env={"LEVEL": "debug"}), "c1", SALT),
        key_of(gated(path="b.yaml"), "c1", SALT),
        key_of(gated(additional=["b.yaml"]), "c1", SALT),
        key_of(gated(allowed_paths=["/srv"]), "c1", SALT),
    ]
    assert len({before, *others}) == 6
    assert key_of(gated(interval_s=5, password="x", timeout_s=9, commit="c"), "c1", SALT) == before


def test_only_files_beside_the_compose_file_are_fetched() -> None:
    assert folder_of(gated(path="compose.yaml")) == ""
    assert folder_of(gated(path="deploy/shop/compose.yaml")) == "deploy/shop"
    assert folder_of(gated(path=".deploy/compose.yaml")) == ".deploy"


def test_no_secret_of_the_settings_is_in_a_release(world: World) -> None:
    text = ready(world, compose("1")).text
    assert not [secret for secret in (*list(SECRETS.values())[:3], "Canary-hidden") if str(secret) in text]
