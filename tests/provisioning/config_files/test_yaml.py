"""YAML by pointer."""

import pytest
import yaml

from provisioning.config_files import Selector, put_back, yaml_file
from tests.provisioning.config_files.cases import edited, found, refused

SETTINGS = """# services
url: http://a/#b   # where
'port': 80
ratio: 1.5
on: true
old: Yes
none: ~
day: 2024-01-01
single: 'it''s'
double: "a\\tb"
list:
- x
- {a: y, b: [1, z]}
two words: plain
  over lines
named: &n one
tagged: !!str 5
8080: number as key
? long
: value
"""


@pytest.mark.parametrize(
    ("at", "value", "old", "new"),
    [
        ("/url", "https://b:1/", "http://a/#b", "https://b:1/"),
        ("/url", "Server=a,1433;Database=[b]", "http://a/#b", "Server=a,1433;Database=[b]"),
        ("/url", "a: b", "http://a/#b", "'a: b'"),
        ("/url", "a #b", "http://a/#b", "'a #b'"),
        ("/url", "it's:", "http://a/#b", "'it''s:'"),
        ("/url", "true", "http://a/#b", "'true'"),
        ("/url", "1e3", "http://a/#b", "'1e3'"),
        ("/url", "0o17", "http://a/#b", "'0o17'"),
        ("/url", "12:30", "http://a/#b", "'12:30'"),
        ("/url", "n", "http://a/#b", "'n'"),
        ("/url", "", "http://a/#b", "''"),
        ("/url", "*x", "http://a/#b", "'*x'"),
        ("/url", "a\nb\x01\u2028😀é", "http://a/#b", '"a\\nb\\u0001\\u2028😀é"'),
        ("/port", "8080", "80", "8080"),
        ("/ratio", "2", "1.5", "2"),
        ("/ratio", "2.0e+3", "1.5", "2.0e+3"),
        ("/on", "False", "on: true", "on: False"),
        ("/old", "no", "Yes", "no"),
        ("/day", "2025-12-31", "2024-01-01", "2025-12-31"),
        ("/single", "a\\b '", "'it''s'", "'a\\b '''"),
        ("/single", "a\n", "'it''s'", '"a\\n"'),
        ("/double", 'C:\\ "x"', '"a\\tb"', '"C:\\\\ \\"x\\""'),
        ("/list/0", "w", "- x", "- w"),
        ("/list/1/a", "v", "a: y", "a: v"),
        ("/list/1/a", "v, w", "a: y", "a: 'v, w'"),
        ("/list/1/b/1", "v]", "z]", "'v]']"),
        ("/two words", "one", "plain\n  over lines", "one"),
        ("/named", "two", "&n one", "&n two"),
        ("/tagged", "6", "5\n8", "'6'\n8"),
        ("/8080", "x", "number as key", "x"),
        ("/long", "x", ": value", ": x"),
    ],
)
def test_quotes_comments_anchors_and_the_kind_stay(at: str, value: str, old: str, new: str) -> None:
    after = edited("yaml", SETTINGS, at, value)
    assert after == SETTINGS.replace(old, new, 1)
    raw = found("yaml", SETTINGS, at)[1]
    assert put_back(after.encode(), Selector(format="yaml", at=at), raw).decode() == SETTINGS


def test_the_readers_in_c_and_in_python_tell_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("/url", "/single", "/list/1/b/1", "/two words", "/named", "/long")
    in_c = [yaml_file.locate(SETTINGS, key) for key in keys]
    monkeypatch.setattr(yaml_file, "_READER", yaml.SafeLoader)
    in_python = [yaml_file.locate(SETTINGS, key) for key in keys]
    assert [(p.start, p.end, p.value) for p in in_c] == [(p.start, p.end, p.value) for p in in_python]


@pytest.mark.parametrize(
    ("text", "at", "value", "why"),
    [
        ("a: 1\na: 2\n", "/a", "3", "stands 2 times, expected once (readers differ)"),
        ("a: {b: x}\na: {c: x}\n", "/a/b", "y", "/a stands 2 times"),
        ("a: x\n", "/b", "y", "not there: /b"),
        ("a: x\n", "/a/b", "y", "not there: /a/b"),
        ("a: [x]\n", "/a/1", "y", "not there"),
        ("a: [x]\n", "/a/x", "y", "not there"),
        ("a: {b: x}\n", "/a", "y", "is a mapping or a sequence"),
        ("a: |\n  x\n", "/a", "y", "is a block of lines"),
        ("a: >-\n  x\n", "/a", "y", "is a block of lines"),
        ("a: 1\n", "/a", "x", "expected a whole number, as stands there"),
        ("a: 1\n", "/a", "1.5", "expected a whole number"),
        ("a: 1\n", "/a", "010", "expected a whole number"),
        ("a: 1\n", "/a", "10:30", "expected a whole number"),
        ("a: 1.5\n", "/a", ".inf", "expected a number"),
        ("a: true\n", "/a", "yes", "expected true or false"),
        ("a: ON\n", "/a", "true", "expected on or off"),
        ("a: null\n", "/a", "x", "expected null"),
        ("a:\n", "/a", "x", "has no value there"),
        ("a: !x y\n", "/a", "z", "has a tag of its own"),
        ("a: &x y\nb: *x\n", "/b", "z", "/b is taken from an anchor elsewhere"),
        ("a: &x {c: y}\nb: *x\n", "/b/c", "z", "/b is taken from an anchor elsewhere"),
        ("a: &x y\nb: *x\n", "/a", "z", "is taken again elsewhere by an alias"),
        ("a: &x {c: y}\nb: {<<: *x}\n", "/a/c", "z", "is taken again elsewhere by an alias"),
        ("a: &x {c: y}\nb: {<<: *x}\n", "/b/c", "z", "not there"),
        ("a: x\n---\na: y\n", "/a", "z", "holds 2 documents"),
        ("a: x\nb: [\n", "/a", "z", "no valid YAML at line 3"),
        ("a: x\nb: \x01\n", "/a", "z", "a character that YAML does not allow"),
        ("", "/a", "z", "not there"),
        ("x", "/a", "z", "not there"),
    ],
)
def test_what_is_not_one_value_is_refused(text: str, at: str, value: str, why: str) -> None:
    message = refused("yaml", text, at, value)
    assert message.startswith(f"{at}: ")
    assert why in message


def test_an_anchor_that_nobody_takes_may_stay() -> None:
    assert edited("yaml", "--- \na: &x y\nb: &z !!str 'w'\n...\n", "/b", "v") == "--- \na: &x y\nb: &z !!str 'v'\n...\n"
