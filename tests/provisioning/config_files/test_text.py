"""Text by an anchored expression."""

import time

import pytest

from tests.provisioning.config_files.cases import edited, found, refused


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_group_of_the_one_matching_line_is_the_value(end: str) -> None:
    text = end.join(["set Url=x", "", "  set Gateway = http://a/ ; c", "set Gateways = b", ""])
    at = r"^\s*set Gateway = (\S+).*$"
    assert edited("text", text, at, "é$(x)") == text.replace("http://a/", "é$(x)")
    assert found("text", text, r"^set (?P<value>.)(rl|x)=x$") == ("U", "U")


def test_a_choice_stands_for_whole_lines() -> None:
    assert found("text", "a1\nb2\na2", "^a(1)|b2x$") == ("1", "1")


@pytest.mark.parametrize(
    ("text", "at", "value", "why"),
    [
        ("a=1\na=2\n", "^a=(.)$", "x", "stands 2 times, expected once"),
        ("a=1\n", "^b=(.)$", "x", "not there: a line that the expression matches"),
        ("a=1\n", "^a=1$|^a=(2)$", "x", "not there: the line matches without the group"),
        ("a=\n\nb\n", r"^a=(\s*b)$", "x", "not there"),
        ("a=1\n", "^a=(.)$", "x\ny", "has a line end"),
        ("a=1\n", "^a=(.)$", "xy", "would break the file: not there"),
        ("a=1\n", "^a=(.+?);?$", "x;", "would change more of the file than itself"),
        ("a=1\n", "a=(.)$", "x", "^ at its beginning, $ at its end"),
        ("a=1\n", "^a=(.)", "x", "^ at its beginning, $ at its end"),
        ("a=1\n", "^a=(.)\\$", "x", "^ at its beginning, $ at its end"),
        ("a=1\n", "^$", "x", "has 0 groups"),
        ("a=1\n", "^", "x", "^ at its beginning"),
        ("a=1\n", "^(a)=(.)$", "x", "has 2 groups"),
        ("a=1\n", "^a=(.$", "x", "is no expression"),
    ],
)
def test_what_is_not_one_value_is_refused(text: str, at: str, value: str, why: str) -> None:
    assert why in refused("text", text, at, value)


def test_a_dollar_after_an_even_number_of_backslashes_is_an_anchor() -> None:
    assert edited("text", "a=b\\\n", r"^a=(.)\\$", "c") == "a=c\\\n"


def test_an_expression_that_takes_for_ever_is_ended() -> None:
    began = time.monotonic()
    assert "takes too long" in refused("text", "a" * 60 + "!\n", r"^((?:a|aa)+)$")
    assert time.monotonic() - began < 30


def test_blanks_of_an_expression_end_with_the_line() -> None:
    assert edited("text", "x\n\n\n  a=1\n\n", r"^\s*a=(\d)\s*$", "2") == "x\n\n\n  a=2\n\n"
    assert edited("text", "x=\n\na=1\nb", r"^a=([^b]*)$", "2") == "x=\n\na=2\nb"
    assert "stands 4 times" in refused("text", "x=\n1\r\n2\r3", r"^([^b]*)$")
