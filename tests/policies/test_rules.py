"""Every rule, on what violates it and on what does not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from policies.compose import DECISIVE
from policies.resource import Resource
from policies.rule import Rule
from policies.rules import RULES, transport
from policies.rules.secrets import SECRET
from provider.resources import TYPES
from setup.places import CHECKOUT
from tests.policies.cases import CASES, PINNED, STACK, inline, resource, step

BY_NAME = {rule.name: rule for rule in RULES}
VIOLATING = [(name, case) for name, (violating, _) in CASES.items() for case in violating]
CLEAN = [(name, case) for name, (_, clean) in CASES.items() for case in clean]

NO_COMPOSE = ["", "7", "[]", "services: 7", "services: {a: 7}", "a: b: c", "services: {a: {ports: 7}}", "\0"]
NONSENSE: list[Any] = [None, True, 7, "x", "${N}", [], [None, 7, {}], {}, {"a": None, "b": [7]}]


@pytest.mark.parametrize(("rule", "case"), VIOLATING)
def test_a_violation_is_found(rule: str, case: Resource) -> None:
    assert BY_NAME[rule].violations(case)


@pytest.mark.parametrize(("rule", "case"), CLEAN)
def test_what_is_right_is_left_alone(rule: str, case: Resource) -> None:
    assert BY_NAME[rule].violations(case) == []


def test_every_rule_has_both_kinds_of_case() -> None:
    assert {name for name, _ in VIOLATING} == {name for name, _ in CLEAN} == set(BY_NAME)
    assert len(BY_NAME) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=BY_NAME)
def test_every_rule_leads_to_a_page_that_is_there(rule: Rule) -> None:
    assert (CHECKOUT / rule.doc.partition("#")[0]).is_file()


@pytest.mark.parametrize("rule", RULES, ids=BY_NAME)
def test_no_rule_breaks_on_a_resource_without_anything_or_with_nonsense(rule: Rule) -> None:
    cases = [case for both in CASES.values() for kind in both for case in kind]
    keys = {key for case in cases for key in case.properties}
    for type_ in {case.type for case in cases}:
        for value in NONSENSE:
            rule.violations(resource(type_, **dict.fromkeys(keys, value)))


@pytest.mark.parametrize("text", NO_COMPOSE)
def test_no_rule_breaks_on_a_text_that_is_no_compose_file(text: str) -> None:
    for rule in RULES:
        rule.violations(resource(STACK, inline=text))


@pytest.mark.parametrize("value", NONSENSE, ids=str)
def test_no_rule_breaks_on_nonsense_inside_a_compose_file(value: object) -> None:
    keys = (
        *DECISIVE,
        *("ports", "volumes", "devices", "deploy", "scale", "environment", "healthcheck", "cap_drop", "mem_limit"),
    )
    parts = {part: {"a": value} for part in ("networks", "volumes", "secrets", "configs")}
    text = yaml.safe_dump({"services": {"web": dict.fromkeys(keys, value)}, **parts})
    whole = yaml.safe_dump({"services": {"web": {}}, **dict.fromkeys(parts, value)})
    for rule in RULES:
        rule.violations(resource(STACK, inline=text))
        rule.violations(resource(STACK, inline=whole))


def test_every_connection_of_the_provider_is_looked_at() -> None:
    rule = BY_NAME["host-key-pinned"]
    blind = {name for name in TYPES if name.startswith("hypercompose:host:") and not rule.violations(resource(name))}
    assert blind == {"hypercompose:host:AgentKey"}
    components = "".join(path.read_text() for path in (CHECKOUT / "components").glob("*.py"))
    assert all(f'super().__init__("{one}"' in components for one in transport.WITHOUT_SSH - blind)


def test_types_that_rules_name_are_there() -> None:
    ours = [name for rule in RULES for name in rule.types if name.startswith("hypercompose:") and "*" not in name]
    assert set(ours) | {name for name in SECRET if name.startswith("hypercompose:")} <= set(TYPES)


def test_a_secret_is_never_shown_even_where_a_compose_file_takes_it_in() -> None:
    shown = resource(STACK, "env.TAG", env={"TAG": "canary-7f3a"}, inline="services: {a: {image: 'x:${TAG}'}}")
    assert "canary" not in str([rule.violations(shown) for rule in RULES])
    for secret in (step("RegistryLogin", password="canary-7f3a"), resource(STACK, env={"TOKEN": "canary-7f3a"})):
        found = [line for rule in RULES for line in rule.violations(secret)]
        assert found
        assert "canary" not in str(found)
    assert "canary" not in str(BY_NAME["no-secret-in-compose"].violations(inline({"environment": ["TOKEN=canary"]})))


def test_hostile_values_stay_on_one_line_and_are_cut() -> None:
    hostile = "a b'c\"d$HOME $(reboot) `id`\nsecond <script>|ünï 🐘" + "x" * 500
    (line,) = BY_NAME["images-by-digest"].violations(inline({"image": hostile}))
    assert "\n" not in line
    assert len(line) < 200


def test_the_line_says_which_file_and_which_service() -> None:
    (line,) = BY_NAME["no-privileged-container"].violations(inline({"image": PINNED, "privileged": True}))
    assert line == "inline: services.web.privileged: true"
