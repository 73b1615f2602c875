"""Exceptions: only with a reason and a last day, only for rules that there are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policies.exceptions import FILE, Exceptions, ExceptionsRefused, load_exceptions, parse_exceptions
from policies.rule import Level
from policies.rules import RULES

NAMES = [rule.name for rule in RULES]
RULE = next(rule for rule in RULES if rule.name == "images-by-digest")
ONE = """\
- rule: images-by-digest
  stacks: [acceptance, 'casino-*']
  level: off
  reason: their own registry has no digests yet
  until: 2027-01-31
"""


def on(day: str, text: str = ONE) -> Exceptions:
    return Exceptions(parse_exceptions(text, NAMES), date.fromisoformat(day))


@pytest.mark.parametrize(
    ("stack", "day", "level"),
    [
        ("acceptance", "2027-01-31", Level.OFF),
        ("casino-x", "2026-01-01", Level.OFF),
        ("casino-x", "2027-02-01", Level.MANDATORY),
        ("integration", "2026-01-01", Level.MANDATORY),
        ("acceptance-2", "2026-01-01", Level.MANDATORY),
    ],
)
def test_an_exception_counts_on_its_stacks_until_its_last_day(stack: str, day: str, level: Level) -> None:
    assert on(day).level(RULE, stack, "web") is level


def test_other_rules_stay_as_they_are() -> None:
    for rule in RULES:
        assert on("2026-01-01").level(rule, "acceptance", "web") is (Level.OFF if rule is RULE else rule.level)


def test_it_may_be_for_some_resources_only() -> None:
    some = on("2026-01-01", f"{ONE}  resources: [legacy, 'old-*']\n")
    assert some.level(RULE, "acceptance", "old-web") is Level.OFF
    assert some.level(RULE, "acceptance", "web") is Level.MANDATORY


def test_one_that_is_over_is_named() -> None:
    assert [str(waiver.until) for waiver in on("2027-02-01").ended(RULE, "acceptance", "web")] == ["2027-01-31"]
    assert list(on("2027-01-31").ended(RULE, "acceptance", "web")) == []


def test_a_level_of_advisory_warns() -> None:
    assert on("2026-01-01", ONE.replace("off", "advisory")).level(RULE, "acceptance", "x") is Level.ADVISORY


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "images-by-digest",
            "image-by-digest",
            "[0].rule: 'image-by-digest', expected the name of a rule; did you mean",
        ),
        (
            "images-by-digest",
            "$(reboot)",
            "[0].rule: '$(reboot)', expected the name of a rule; known here: host-key-pinned",
        ),
        ("  stacks:", "  stack:", "[0].stack: unknown field; did you mean `stacks`?"),
        ("[acceptance, 'casino-*']", "acceptance", "[0].stacks: 'acceptance', expected a list of names or patterns"),
        ("off", "mandatory", "[0].level: 'mandatory', expected advisory or off"),
        ("their own registry has no digests yet", "no", "[0].reason: 'no', expected why, in a sentence"),
        ("2027-01-31", "never", "[0].until: 'never', expected its last day, for example 2027-01-31"),
        ("- rule", "rule", "not YAML"),
    ],
)
def test_what_is_wrong_is_refused_by_name(old: str, new: str, told: str) -> None:
    with pytest.raises(ExceptionsRefused) as refused:
        parse_exceptions(ONE.replace(old, new, 1), NAMES)
    assert told in str(refused.value)
    assert str(refused.value).startswith("exceptions.yaml: ")


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ExceptionsRefused) as refused:
        parse_exceptions("- {}\n- 7\n", NAMES)
    assert len(str(refused.value).splitlines()) == 6
    with pytest.raises(ExceptionsRefused, match="expected a list of exceptions, each with rule, stacks"):
        parse_exceptions("rule: images-by-digest", NAMES)


def test_no_file_is_no_exception(tmp_path: Path) -> None:
    assert load_exceptions(RULES, tmp_path / "none.yaml").waivers == ()
    assert parse_exceptions("# nothing yet\n", NAMES) == ()


def test_the_file_of_the_repository_can_be_read() -> None:
    assert all(waiver.reason for waiver in parse_exceptions(FILE.read_text(), NAMES))
