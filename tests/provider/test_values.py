"""Property values on the wire."""

from typing import Any

from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc

from provider.values import SECRET, SIGNATURE, UNKNOWN, UNKNOWN_TEXT, holds_secret, is_known, read, write

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), plain, max_size=6))
def test_values_survive_the_wire(properties: dict[str, Any]) -> None:
    assert read(write(properties)) == properties


@given(st.dictionaries(st.text(min_size=1, max_size=8), plain, min_size=1, max_size=4))
def test_a_marked_secret_is_read_as_its_value_and_seen_as_secret(properties: dict[str, Any]) -> None:
    struct = write(properties, secret=set(properties))
    assert read(struct) == properties
    assert all(map(holds_secret, struct.fields.values()))
    assert not any(map(holds_secret, write(properties).fields.values()))


def test_a_secret_deep_inside_marks_the_property() -> None:
    struct = struct_pb2.Struct()
    struct.update({"a": [{"b": {rpc._special_sig_key: rpc._special_secret_sig, "value": "x"}}], "c": "y"})
    assert holds_secret(struct.fields["a"])
    assert not holds_secret(struct.fields["c"])


def test_an_unknown_stays_unknown() -> None:
    struct = write({"a": UNKNOWN, "b": {"c": [UNKNOWN]}}, secret={"a"})
    assert struct.fields["a"].string_value == rpc.UNKNOWN
    found = read(struct)
    assert found["a"] is UNKNOWN
    assert not is_known(found["b"])
    assert is_known({"a": [1, {"b": None}]})


def test_whole_numbers_come_back_as_int() -> None:
    found = read(write({"a": 4096, "b": 1.5}))
    assert isinstance(found["a"], int)
    assert found["b"] == 1.5


def test_the_signatures_are_those_of_the_sdk() -> None:
    assert (rpc._special_sig_key, rpc._special_secret_sig, rpc.UNKNOWN) == (SIGNATURE, SECRET, UNKNOWN_TEXT)
