"""Bytes become a checkpoint, or one sentence; whose it is, is told by what it holds."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup.state.checkpoint import Checkpoint, Owner, Unreadable, read
from setup.state.secrets import opens
from tests.setup.state.states import claim, deployment, kept, resource, urn

OURS = Owner(stack="lab", site="lab")
WHOLE = kept(resources=[resource(), claim("lab")])


def fault(content: bytes, owner: Owner = OURS) -> str | None:
    return next(read(content).faults(owner), None)


def test_a_checkpoint_and_its_export_hold_the_same() -> None:
    found = read(WHOLE)
    assert found.export == {"version": 3, "deployment": deployment(resources=[resource(), claim("lab")])}
    assert read(json.dumps(found.export).encode()).is_same_as(found)
    assert (len(found.resources), found.pending, found.site) == (2, 0, "lab")


def test_features_go_along() -> None:
    found = read(
        json.dumps({"version": 4, "features": ["replaceWith"], "checkpoint": {"latest": deployment()}}).encode()
    )
    assert found.export["features"] == ["replaceWith"]


def test_when_it_was_written_makes_no_difference() -> None:
    early, late = (read(kept(at=f"2026-11-25T1{hour}:00:00Z", resources=[resource()])) for hour in (1, 2))
    assert early.is_same_as(late)
    assert early.written < late.written
    assert not early.is_same_as(read(kept()))


@pytest.mark.parametrize("at", ["2026-11-25T13:00:00.123456789+01:00", "2026-11-25T12:00:00.123456Z"])
def test_the_time_is_read_in_any_zone(at: str) -> None:
    assert read(kept(at=at)).written == datetime(2026, 11, 25, 12, 0, 0, 123456, UTC)


def test_a_time_that_is_none_is_the_oldest() -> None:
    assert read(kept(at="yesterday")).written.year == 1970


def test_a_compressed_one_is_read() -> None:
    assert read(gzip.compress(WHOLE)).is_same_as(read(WHOLE))


@pytest.mark.parametrize("cut", range(0, len(WHOLE), 7))
def test_cut_anywhere_it_is_refused(cut: int) -> None:
    with pytest.raises(Unreadable, match=r"it is (not whole|empty)"):
        read(WHOLE[:cut])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (gzip.compress(WHOLE)[:-9], "compression is broken"),
        (b"\x28\xb5\x2f\xfd\x00", "zstd"),
        (b"<html>502</html>", "not whole"),
        (b"\xff\xfe\x00", "not whole"),
        (b"[" * 200_000, "not whole"),
        (b"[]", "no state"),
        (b"{}", "no state"),
        (b'{"version": "3", "deployment": {}}', "no state"),
        (b'{"version": true, "deployment": {}}', "no state"),
        (b'{"version": 3}', "no state"),
        (b'{"version": 3, "checkpoint": []}', "no state"),
        (b'{"version": 3, "checkpoint": {"latest": [1]}}', "no state"),
        (b'{"version": 3, "deployment": "x"}', "no state"),
        (b'{"version": 9, "deployment": {}}', "its version is 9"),
        (b'{"version": 1, "deployment": {}}', "its version is 1"),
    ],
)
def test_what_is_no_state_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (kept(resources=[resource("acceptance")]), "it is the state of stack 'acceptance' of project 'hypercompose'"),
        (kept(resources=[{**resource(), "urn": urn("a", project="x'|$(reboot)")}]), '"x\'|$(reboot)"'),
        (kept(resources=[claim("main")]), "it belongs to site 'main', and this run is for site 'lab'"),
        (kept(resources=[{**claim("lab"), "outputs": None, "inputs": {"siteId": "main"}}]), "site 'main'"),
        (kept(resources=[resource(parent="x")]), "parent"),
    ],
)
def test_what_is_not_ours_is_refused(content: bytes, says: str) -> None:
    assert says in (fault(content) or "")


@pytest.mark.parametrize(
    "content", [WHOLE, kept(), kept(resources=[resource()]), b'{"version": 3, "checkpoint": {"stack": "x"}}']
)
def test_ours_is_taken_also_before_it_says_its_site(content: bytes) -> None:
    assert fault(content) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES: list[tuple[str | int, ...]] = [
    (),
    ("version",),
    ("features",),
    ("checkpoint",),
    ("checkpoint", "latest"),
    *(("checkpoint", "latest", key) for key in ("manifest", "secrets_providers", "resources", "pending_operations")),
    ("checkpoint", "latest", "manifest", "time"),
    ("checkpoint", "latest", "secrets_providers", "state"),
    ("checkpoint", "latest", "secrets_providers", "state", "salt"),
    ("checkpoint", "latest", "resources", 1),
    *(
        ("checkpoint", "latest", "resources", 1, key)
        for key in "urn type id parent provider dependencies propertyDependencies deletedWith outputs delete".split()
    ),
]


@given(st.sampled_from(PLACES), JSON)
def test_whatever_is_in_it_ends_in_a_verdict(place: tuple[str | int, ...], value: Any) -> None:
    content: Any = json.loads(WHOLE)
    holder = content
    for key in place[:-1]:
        holder = holder[key]
    if place:
        holder[place[-1]] = value
    try:
        found = read(json.dumps(content if place else value).encode())
    except Unreadable as reason:
        assert str(reason)
        return
    if list(found.faults(OURS)):
        return
    assert isinstance(found, Checkpoint)
    assert found.site in (None, "lab")
    assert found.written
    assert found.export
    if place[-1:] == ("salt",) or place[-1:] == ("secrets_providers",):
        assert not opens("wrong", found.deployment)
