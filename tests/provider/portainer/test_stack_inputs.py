"""Inputs of a stack are refused with what was expected; those that are taken mean one stack."""

from __future__ import annotations

from typing import Any

import pytest

from provider.resources.portainer.stack_inputs import problems, wanted_of
from provider.values import UNKNOWN
from provisioning.portainer.stacks import AutoUpdate
from provisioning.portainer.wanted import OWNER
from tests.provider.portainer.serving import GIT, INLINE


def reasons(**changes: Any) -> list[tuple[str, str]]:
    return [(problem.property, problem.reason) for problem in problems({**INLINE, **changes})]


def test_good_inputs_are_taken() -> None:
    assert reasons() == []
    assert list(problems(GIT)) == []


@pytest.mark.parametrize(
    ("name", "is_good"),
    [
        ("shop", True), ("s", True), ("shop-2_b", True), ("2shop", True), ("s" * 63, True),
        ("", False), ("Shop", False), ("-shop", False), ("shop.a", False), ("s" * 64, False),
        ("shop\n", False), ("$(reboot)", False), ("a b", False), ("ünï", False), (None, False),
    ],
)  # fmt: skip
def test_names_are_those_that_compose_takes(name: str | None, is_good: bool) -> None:
    found = reasons(name=name)
    assert [prop for prop, _ in found] == ([] if is_good else ["name"])
    assert is_good or found[0][1].startswith(f"{name!r}, expected small letters")


@pytest.mark.parametrize(
    ("name", "is_good"),
    [("LOG_LEVEL", True), ("_a1", True), ("1A", False), ("A-B", False), ("", False), ("A\n", False), ("A=B", False)],
)
def test_names_of_variables_are_those_of_shells(name: str, is_good: bool) -> None:
    expected = [("env", f"{name!r}, expected a name such as LOG_LEVEL")]
    assert reasons(env={"OK": "1", name: "2"}) == ([] if is_good else expected)


@pytest.mark.parametrize(
    ("ref", "is_good"),
    [
        ("refs/heads/main", True), ("refs/tags/v1.0", True), ("refs/heads/dev/shop", True), ("refs/heads/ünï", True),
        ("main", False), ("HEAD", False), ("refs/heads/", False), ("refs/remotes/origin/main", False),
        ("refs/heads/a b", False), ("refs/heads/a:b", False), ("refs/heads/a*", False), ("refs/heads/a\n", False),
        ("refs/heads/a\x7f", False), ("refs/heads/a~1", False), ("refs/heads/a\\b", False), ("--x", False),
        ("+refs/heads/main", False),
    ],
)  # fmt: skip
def test_refs_are_whole_names_of_branches_and_tags(ref: str, is_good: bool) -> None:
    expected = [("ref", f"{ref!r}, expected refs/heads/<branch> or refs/tags/<tag>")]
    assert reasons(ref=ref) == ([] if is_good else expected)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("services: {web: {image: x}}", None),
        ("a: b: c", "not YAML: mapping values are not allowed here"),
        ("services: [", "not YAML"),
        ("!!python/object:os.system {}", "not YAML"),
        ("", "no compose file: expected a mapping with `services`"),
        ("just words", "no compose file"),
        ("- services", "no compose file"),
        ("version: '3'", "no compose file"),
        ("services:", "no compose file"),
        ("services: {}", "no compose file"),
        ("services: [web]", "no compose file"),
    ],
)
def test_a_text_has_to_be_a_compose_file(text: str, told: str | None) -> None:
    found = reasons(inline=text)
    assert [prop for prop, _ in found] == (["inline"] if told else [])
    assert told is None or found[0][1].startswith(told)


def test_what_is_not_known_before_up_is_not_judged() -> None:
    assert reasons(name=UNKNOWN, ref=UNKNOWN, inline=UNKNOWN, env={"A": UNKNOWN}) == []


def test_an_environment_that_is_not_known_before_up_is_not_judged() -> None:
    assert reasons(env=UNKNOWN) == []


def test_a_stack_of_text_has_no_webhook_and_no_repository() -> None:
    wanted = wanted_of(INLINE, "w-1")
    assert (wanted.inline, wanted.source, wanted.repository) == (INLINE["inline"], None, None)
    assert wanted.update == AutoUpdate(interval="", webhook="")
    assert wanted.all_env == {"LEVEL": "info", OWNER: "lab/dev/shop"}


def test_a_stack_of_git_has_a_source_for_the_server_and_a_repository_for_us() -> None:
    wanted = wanted_of({**GIT, "commit": "b" * 40, "additional": ["more.yaml"], "hide": ["s1"]}, "w-1")
    assert wanted.source is not None and wanted.repository is not None and wanted.inline is None
    assert (wanted.source.ref, wanted.source.additional) == ("refs/heads/dev/shop", ("more.yaml",))
    assert (wanted.source.user, wanted.repository.user) == ("ops", "ops")
    assert (wanted.source.password, wanted.repository.password) == ("git-pw", "git-pw")
    assert (wanted.commit, wanted.update) == ("b" * 40, AutoUpdate(interval="5m", webhook="w-1"))
    assert wanted.secrets == ("s1", "git-pw")


def test_what_nobody_gives_has_its_usual_value() -> None:
    few = {name: value for name, value in INLINE.items() if name not in ("env", "timeoutS")}
    wanted = wanted_of(few, "")
    assert (wanted.env, wanted.timeout_s, wanted.adopt, wanted.allowed_paths, wanted.commit) == ({}, 180, False, (), "")
