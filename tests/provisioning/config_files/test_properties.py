"""Java properties by key."""

import pytest

from tests.provisioning.config_files import java
from tests.provisioning.config_files.cases import edited, found, refused

TEXT = (
    "# url=x\\\n! c\nurl=http\\://a/\\u00e9\nport : 80\n key\\ one\\=two three\n"
    "long = a,\\\n    b,\\\n    c\nempty\ngone=\n"
)


@pytest.mark.parametrize(
    ("at", "value", "old", "new"),
    [
        ("url", "http://b:1/=", "http\\://a/\\u00e9", "http://b:1/="),
        ("port", " 8 ", "80", "\\ 8 "),
        ("port", "=8", "80", "\\=8"),
        ("port", "\t\\\n\x0c", "80", "\\t\\\\\\n\\f"),
        ("port", "é😀", "80", "\\u00e9\\ud83d\\ude00"),
        ("key one=two", "x", "three", "x"),
        ("long", "x", "a,\\\n    b,\\\n    c", "x"),
        ("gone", "x", "gone=", "gone=x"),
        ("port", "", "80", ""),
    ],
)
def test_separators_and_comments_stay(at: str, value: str, old: str, new: str) -> None:
    after = edited("properties", TEXT, at, value)
    assert after == TEXT.replace(old, new, 1)
    assert java.load(after) == java.load(TEXT) | {at: value}


def test_a_value_over_several_lines_is_one_value() -> None:
    assert found("properties", TEXT, "long") == ("a,b,c", "a,\\\n    b,\\\n    c")
    assert found("properties", "a=\\\r\n  b\\\r  c\\", "a") == ("bc", "b\\\r  c\\")
    assert found("properties", TEXT, "url")[0] == "http://a/é"


@pytest.mark.parametrize(
    ("text", "at", "why"),
    [
        ("a=1\na=2\n", "a", "stands 2 times, expected once (Java takes the last)"),
        ("a=1\n\\u0061=2\n", "a", "stands 2 times"),
        ("A=1\n", "a", "not there"),
        ("#a=1\n", "a", "not there"),
        ("b=\\\na=1\n", "a", "not there"),
        ("a\n", "a", "line 1 has the key alone, expected key=value"),
        ("a=\\u12\n", "a", "\\u without four hexadecimal digits"),
        ("a=\\ud800\n", "a", "lone surrogate"),
        ("a=1\n", "a\n", "has a line end"),
    ],
)
def test_what_is_not_one_value_is_refused(text: str, at: str, why: str) -> None:
    assert why in refused("properties", text, at)
