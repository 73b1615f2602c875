"""What holds for an edit in every format, encoding and style of line ends."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.config_files import EditError, Selector, find, put_back, replace
from tests.provisioning.config_files.documents import KINDS, Document, documents, holds, values

FEW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
REACHING = (
    '"x", "k1": "y"',
    "x' k1='y",
    "</add><add key='k1' value='y'>",
    "x\nk1=y",
    "x\n  k1: y",
    "x\rk1 -> y",
    "'x'\nk1='y'",
    "\\",
    "x\\",
    "'",
    '"',
)
"""Texts that would be more than one value."""
formats = pytest.mark.parametrize("format", KINDS)


def selector(format: str, name: str) -> Selector:
    return Selector(format=format.split()[0], at=KINDS[format].at.format(name))


@formats
@given(data=st.data())
@FEW
def test_only_the_selected_bytes_change_and_go_back(format: str, data: st.DataObject) -> None:
    document = data.draw(documents(format))
    name = data.draw(st.sampled_from(document.names))
    value = data.draw(values)
    chosen, content, encoding = selector(format, name), document.content, document.encoding
    found = find(content, chosen, encoding)
    assert replace(content, chosen, found.value, encoding) is content
    assert put_back(content, chosen, found.raw, encoding) is content
    try:
        edited = replace(content, chosen, value, encoding)
    except EditError as error:
        assert may_refuse(format, document, found.raw, value), error
        return
    assert find(edited, chosen, encoding).value == value
    assert put_back(edited, chosen, found.raw, encoding) == content
    assert outside(content, found.raw, edited, find(edited, chosen, encoding).raw, document.codec)
    before, after = document.read(content), document.read(edited)
    meant = f"{name} text" if format == "xml text" else name
    assert {n: v for n, v in after.items() if n != meant} == {n: v for n, v in before.items() if n != meant}
    assert is_read_as(format, after[meant], value)


@formats
@given(data=st.data())
@FEW
def test_a_broken_file_is_edited_by_the_same_rules_or_refused(format: str, data: st.DataObject) -> None:
    document = data.draw(documents(format))
    start, end = sorted(data.draw(st.integers(0, len(document.content))) for _ in range(2))
    content = document.content[:start] + data.draw(st.binary(max_size=3)) + document.content[min(end, start + 9) :]
    chosen = selector(format, document.names[0])
    try:
        found = find(content, chosen, document.encoding)
        edited = replace(content, chosen, data.draw(values), document.encoding)
    except EditError:
        return
    assert put_back(edited, chosen, found.raw, document.encoding) == content


@formats
@given(data=st.data())
@FEW
def test_a_text_that_is_put_back_reaches_no_further_than_its_place(format: str, data: st.DataObject) -> None:
    document = data.draw(documents(format))
    name, raw = document.names[0], data.draw(values | st.sampled_from(REACHING))
    try:
        edited = put_back(document.content, selector(format, name), raw, document.encoding)
    except EditError:
        return
    assert find(edited, selector(format, name), document.encoding).raw == raw
    if format == "yaml" and ("\t" in raw or raw in ("<<", "=")):
        return  # never written by an edit, and read differently by the reader of the test
    before, after = document.read(document.content), document.read(edited)
    meant = f"{name} text" if format == "xml text" else name
    assert {n: v for n, v in after.items() if n != meant} == {n: v for n, v in before.items() if n != meant}


def may_refuse(format: str, document: Document, raw: str, value: str) -> bool:
    """What no file of the format can hold there; all else has to be written."""
    match format:
        case "json":
            return raw[0] != '"'
        case "yaml":
            return raw in ("8080", "1.5", "true")
        case "xml attribute" | "xml text":
            return bool(re.search("[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", value))
        case "properties":
            return False
        case "env":
            return not holds(document.codec, value)
    return (
        "\n" in value or "\r" in value or not holds(document.codec, value) or (format == "text" and value[-1:] == ";")
    )


def outside(content: bytes, raw: str, edited: bytes, now: str, codec: str) -> bool:
    """Whether there is one place where the one stood and the other stands, with equal bytes on both sides."""
    old, new = raw.encode(codec), now.encode(codec)
    starts = range(len(content) - len(old) + 1)
    return any(
        content[:i] + new + content[i + len(old) :] == edited for i in starts if content[i : i + len(old)] == old
    )


def is_read_as(format: str, read: object, value: str) -> bool:
    match format:
        case "ini":  # that reader strips blanks of all alphabets
            return str(read).strip() == value.strip()
        case "env":  # that reader leaves a \$ as it is
            return str(read).replace("\\$", "$") == value
        case "text":
            return read in (value, f"{value};")
        case "json" | "yaml":
            return read == value or str(read).lower() == value.lower() or float(str(read)) == float(value)
    return read == value
