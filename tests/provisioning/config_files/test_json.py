"""JSON by pointer."""

import time

import pytest

from tests.provisioning.config_files.cases import edited, found, refused

SETTINGS = """{ // of the "Url" service
  "Url": "http://a/", /* "Url": 1, */
  "Port": 80,
  "On": true, "None": null,
  "List": [1, {"a": ["x",],},],
}
"""


@pytest.mark.parametrize(
    ("at", "value", "old", "new"),
    [
        ("/Url", 'C:\\a "b"\n', '"http://a/"', '"C:\\\\a \\"b\\"\\n"'),
        ("/Url", "é😀\x01", '"http://a/"', '"é😀\\u0001"'),
        ("/Port", "8080", "80", "8080"),
        ("/Port", "-1.5e+3", "80", "-1.5e+3"),
        ("/On", "false", "true", "false"),
        ("/List/0", "2", "[1", "[2"),
        ("/List/1/a/0", "y", '"x"', '"y"'),
        ("/list/1/A/0", "y", '"x"', '"y"'),
    ],
)
def test_comments_and_trailing_commas_stay(at: str, value: str, old: str, new: str) -> None:
    assert edited("json", SETTINGS, at, value) == SETTINGS.replace(old, new, 1)


def test_what_is_written_otherwise_but_says_the_same_is_left_alone() -> None:
    text = '{"a": "caf\\u00e9 \\/"}'
    assert found("json", text, "/a") == ("café /", '"caf\\u00e9 \\/"')
    assert edited("json", text, "/a", "café /") == text


def test_a_pointer_names_keys_with_slash_and_tilde() -> None:
    assert edited("json", '{"a/b": {"~": "x", "": "y"}}', "/a~1b/~0", "z") == '{"a/b": {"~": "z", "": "y"}}'
    assert edited("json", '{"a/b": {"~": "x", "": "y"}}', "/a~1b/", "z") == '{"a/b": {"~": "x", "": "z"}}'


def test_a_key_is_taken_in_its_own_case_first() -> None:
    assert edited("json", '{"A": "x", "a": "y"}', "/a", "z") == '{"A": "x", "a": "z"}'
    assert refused("json", '{"Ab": "x", "aB": "y"}', "/ab").startswith("/ab: ab in the root stands 2 times")


@pytest.mark.parametrize(
    ("text", "at", "value", "why"),
    [
        ('{"a": 1, "a": 2}', "/a", "3", "stands 2 times, expected once (readers differ, .NET takes the last)"),
        ('{"a": {"b": "x"}, "a": {}}', "/a/b", "y", "stands 2 times"),
        ('{"a": {"b": "x"}}', "/a", "y", "is an object, expected the pointer of one value in it"),
        ('{"a": ["x"]}', "/a", "y", "is an array"),
        ('{"a": ["x"]}', "/a/1", "y", "not there: 1 in /a"),
        ('{"a": ["x"]}', "/a/-", "y", "expected an index"),
        ('{"a": ["x"]}', "/a/00", "y", "expected an index"),
        ('{"a": "x"}', "/a/b", "y", "/a is a single value"),
        ('{"a": "x"}', "/b", "y", "not there: b in the root"),
        ('{"a": 1}', "/a", "http://x", "expected a number, as stands there"),
        ('{"a": 1}', "/a", "01", "expected a number"),
        ('{"a": 1}', "/a", "NaN", "expected a number"),
        ('{"a": 1}', "/a", "1\n", "expected a number"),
        ('{"a": 1}', "/a", "\u0661", "expected a number"),
        ('{"a": true}', "/a", "True", "expected true or false"),
        ('{"a": null}', "/a", "x", "expected null, as stands there"),
        ('{"a": "\\ud800"}', "/a", "x", "lone surrogate"),
        ('{"a": "x"', "/a", "y", "no valid JSON at line 1, column 10"),
        ('{"a": "x",, }', "/a", "y", "no valid JSON"),
        ('{"a": "x", "b": [,]}', "/a", "y", "no valid JSON"),
        ('{"a": "x", "b": [/**/,/**/]}', "/a", "y", "no valid JSON"),
        ('{,"a": "x"}', "/a", "y", "no valid JSON"),
        ('{"a": "x"} ,', "/a", "y", "no valid JSON"),
        ('{"a": "x"} /* open', "/a", "y", "no valid JSON"),
        ('{"a": "x", "b": "// open}', "/a", "y", "no valid JSON"),
        ('{"a": "x", "b": NaN}', "/a", "y", "NaN is no value of JSON"),
        ('{"a": "x"} {}', "/a", "y", "no valid JSON"),
        ("", "/a", "y", "no valid JSON"),
        ('{"a": ' + "[" * 100_000, "/a", "y", "nested too deeply"),
        ('{"a": "x"}', "/a", "\0", "holds a NUL character"),
        ('{"a": "x"}', "/a", "\udc80", "lone surrogate"),
        ('{"a": "x"}', "a", "y", "expected a pointer that begins with /"),
        ('{"a": "x"}', "/a~", "y", "has a ~ that is neither"),
    ],
)
def test_what_is_not_one_value_is_refused(text: str, at: str, value: str, why: str) -> None:
    message = refused("json", text, at, value)
    assert message.startswith(f"{at}: ")
    assert why in message


def test_numbers_may_be_long() -> None:
    text = '{"a": ' + "9" * 10_000 + ', "b": "x"}'
    assert found("json", text, "/a")[0] == "9" * 10_000
    assert edited("json", text, "/b", "y") == text.replace("x", "y")


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 500_000, "{}" + "/*a" * 500_000, "/" * 500_000 + "a", '{"a": "\\', "[,]" * 200_000]
)
def test_what_is_never_closed_is_refused_soon(text: str) -> None:
    began = time.monotonic()
    assert "no valid JSON" in refused("json", text, "/a")
    assert time.monotonic() - began < 30
