"""Detailed differences."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2 as pb

from provider.diff import detailed
from provider.values import UNKNOWN

plain = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def changes(olds: dict[str, Any], news: dict[str, Any], *replace_on: str) -> dict[str, str]:
    answer = detailed(olds, news, replace_on)
    return {path: pb.PropertyDiff.Kind.Name(diff.kind) for path, diff in answer.detailedDiff.items()}


@pytest.mark.parametrize(
    ("olds", "news", "expected"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": "UPDATE"}),
        ({}, {"a": 1}, {"a": "ADD"}),
        ({"a": 1}, {}, {"a": "DELETE"}),
        ({"a": None}, {}, {}),
        ({"f": {"/etc/x": "1"}}, {"f": {"/etc/x": "2"}}, {'f["/etc/x"]': "UPDATE"}),
        ({"f": {'q"\\': "1"}}, {"f": {'q"\\': "2"}}, {'f["q\\"\\\\"]': "UPDATE"}),
        ({"n": [{"mac": "a"}]}, {"n": [{"mac": "b"}]}, {"n[0].mac": "UPDATE"}),
        ({"n": [1]}, {"n": [1, 2]}, {"n": "UPDATE"}),
        ({"a": "x"}, {"a": UNKNOWN}, {"a": "UPDATE"}),
    ],
)
def test_a_change_is_named_by_its_path(olds: dict[str, Any], news: dict[str, Any], expected: dict[str, str]) -> None:
    assert changes(olds, news) == expected


def test_a_change_below_a_fixed_property_means_replacement() -> None:
    answer = detailed({"n": [{"mac": "a"}], "x": 1}, {"n": [{"mac": "b"}], "x": 2}, {"n"})
    assert list(answer.replaces) == ["n"]
    assert changes({"vm": "1"}, {"vm": UNKNOWN}, "vm") == {"vm": "UPDATE_REPLACE"}


@given(st.dictionaries(st.text(max_size=4), plain, max_size=4))
def test_equal_inputs_have_no_difference(properties: dict[str, Any]) -> None:
    assert detailed(properties, dict(properties), ()).changes == pb.DiffResponse.DIFF_NONE
