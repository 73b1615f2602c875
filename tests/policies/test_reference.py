"""The table of rules in docs/policies.md."""

from policies.reference import PAGE, page
from policies.rules import RULES


def test_the_page_is_what_the_rules_say() -> None:
    text = PAGE.read_text()
    assert page(text) == text, "docs/policies.md is old: run `make docs`"
    assert all(f"[{rule.name}](" in text for rule in RULES)


def test_every_rule_is_a_sentence_without_an_end() -> None:
    for rule in RULES:
        assert not rule.holds.endswith("."), rule.name
        assert rule.remedy, rule.name
