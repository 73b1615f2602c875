"""Property paths, and what is secret."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime import rpc

from delivery.drift.paths import MASK, masked, value_at
from provider import values
from provider.diff import detailed

SECRET = {values.SIGNATURE: values.SECRET, "ciphertext": "[secret]", "plaintext": "canary-4711"}
HOSTILE = ["$(reboot)", 'say "hi"', "line\nend", "ünï 🐘", "<script>", "a|b", "back\\slash", "a.b", "x[0]", "]", ""]


def test_marks_are_those_of_the_sdk() -> None:
    assert rpc._special_sig_key == values.SIGNATURE
    assert rpc._special_secret_sig == values.SECRET
    assert rpc.UNKNOWN == values.UNKNOWN_TEXT


@pytest.mark.parametrize("name", HOSTILE)
def test_each_path_that_the_provider_writes_leads_to_its_value(name: str) -> None:
    old: dict[str, Any] = {"settings": {name: "one"}, "list": [{name: "one"}]}
    new: dict[str, Any] = {"settings": {name: "two"}, "list": [{name: "two"}]}
    found = list(detailed(old, new, ()).detailedDiff)
    assert len(found) == 2
    for path in found:
        assert (value_at(old, path), value_at(new, path)) == ("one", "two"), path


@pytest.mark.parametrize(
    ("path", "value"),
    [("memory.dedicated", 2048), ("disks[1].size", 20), ("disks[9].size", None), ("gone", None), ("memory.x.y", None)],
)
def test_a_path_without_a_value_is_not_there(path: str, value: Any) -> None:
    assert value_at({"memory": {"dedicated": 2048}, "disks": [{}, {"size": 20}]}, path) == value


@pytest.mark.parametrize("path", ["env", "env.PASSWORD", "deep[0].password", "deep"])
def test_no_secret_comes_out_whatever_the_path(path: str) -> None:
    value = value_at({"env": SECRET, "deep": [{"password": SECRET, "user": "ops"}]}, path)
    assert "canary-4711" not in repr(value)
    assert MASK in repr(value)


def test_what_is_beside_a_secret_stays() -> None:
    assert masked({"user": "ops", "password": SECRET}) == {"user": "ops", "password": MASK}
