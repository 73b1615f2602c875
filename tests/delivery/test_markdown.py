"""Any name at all stays one piece of text in one cell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.markdown import code, listed, table
from delivery.review.comment import LIMIT, MARKER, comment
from delivery.review.preview import Digest
from delivery.review.section import HEAD, Reviewed
from tests.delivery.review.parsing import SEEN, pages
from tests.delivery.review.recorded import change

HOSTILE = [
    "a|b",
    "<script>alert(1)</script>",
    "`rm -rf /`",
    "a\nb\r\n| c | d |",
    "$(reboot)",
    "@everyone @{557058:uuid}",
    "back\\slash\\",
    "\\`",
    "[link](javascript:x) ![image](x)",
    "**bold** __bold__ ~~gone~~",
    "\u202eright to left\u200b",
    "\ud800",
    "   ",
    "",
    MARKER,
    "é 日本 🐘",
    "x" * 5000,
]
ANY = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=[]), max_size=30))
NAMES = st.lists(ANY, min_size=1, max_size=4)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_one_cell(name: str) -> None:
    for rows, tags in pages("\n".join(table(("a", "b"), [[code(name), code("after")]]))):
        assert [len(row) for row in rows] == [2, 2]
        assert rows[1][1] == "after"
        assert tags <= SEEN


@given(names=NAMES, keys=NAMES, stack=ANY, site=ANY)
def test_any_names_give_a_well_formed_table(names: list[str], keys: list[str], stack: str, site: str) -> None:
    changes = tuple(
        change(operation, kind, name, component=name, component_kind=kind, keys=tuple(keys), because=tuple(keys))
        for name in names
        for operation, kind in (("update", name), ("replace", "VmLegacy"), ("delete", "PortainerStack"))
    )
    text = comment([Reviewed(digest=Digest(stack=stack, site=site, changes=changes))], left_out=names)
    assert text.encode()  # no half characters
    assert len(text.encode()) <= LIMIT
    assert text.startswith(f"{MARKER}\n\n")
    for rows, tags in pages(text):
        assert rows[0] == list(HEAD)
        assert {len(row) for row in rows} == {len(HEAD)}
        assert tags <= SEEN


@given(name=ANY)
def test_a_name_is_code_on_one_line_without_anything_that_acts(name: str) -> None:
    text = code(name)
    assert text[0] == text[-1] == "`"
    assert text.isprintable()
    assert not set(text[1:-1]) & set("`|<>@\\\n")
    assert 3 <= len(text) <= 102


def test_plain_names_are_shown_as_they_are() -> None:
    assert code('settings["net.ipv4.ip_forward"]') == '`settings["net.ipv4.ip_forward"]`'
    assert code("é 日本 🐘") == "`é 日本 🐘`"


def test_what_is_not_listed_is_counted() -> None:
    assert listed(["a", "b", "c"], 3) == "a, b, c"
    assert listed(["a", "b", "c"], 1) == "a, 2 more"
    assert listed(["a", "b", "c"], 0) == "3"


def test_a_marker_in_a_name_is_no_second_marker() -> None:
    one = Reviewed(digest=Digest(stack=f"x\n{MARKER}", changes=(replace(change("create", "T", MARKER)),)))
    assert [line for line in comment([one]).splitlines() if line.startswith("[//]")] == [MARKER]
