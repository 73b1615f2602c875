"""Every rule, on what violates it and on what does not."""

from __future__ import annotations

from typing import Any

import pytest

from policies.resource import Resource
from policies.rules import RULES

STACK, PUBLICATION = "hypercompose:portainer:Stack", "hypercompose:git:Publication"
PINNED = f"registry/web@sha256:{'a' * 64}"
Case = tuple[str, str, dict[str, Any]]
VIOLATING: list[Case] = [
    ("images-by-digest", STACK, {"inline": "services: {web: {image: 'web:1'}}"}),
    ("no-privileged-container", STACK, {"inline": f"services: {{web: {{image: '{PINNED}', privileged: true}}}}"}),
]
CLEAN: list[Case] = [
    ("images-by-digest", STACK, {"inline": f"services: {{web: {{image: '{PINNED}'}}}}"}),
    ("no-privileged-container", STACK, {"inline": f"services: {{web: {{image: '{PINNED}', privileged: false}}}}"}),
]
BY_NAME = {rule.name: rule for rule in RULES}


@pytest.mark.parametrize(("rule", "type_", "properties"), VIOLATING)
def test_a_violation_is_found(rule: str, type_: str, properties: dict[str, Any]) -> None:
    assert BY_NAME[rule].violations(Resource(type=type_, name="x", properties=properties))


@pytest.mark.parametrize(("rule", "type_", "properties"), CLEAN)
def test_what_is_right_is_left_alone(rule: str, type_: str, properties: dict[str, Any]) -> None:
    assert BY_NAME[rule].violations(Resource(type=type_, name="x", properties=properties)) == []


def test_every_rule_has_both_kinds_of_case() -> None:
    assert {case[0] for case in VIOLATING} == {case[0] for case in CLEAN} == set(BY_NAME)
