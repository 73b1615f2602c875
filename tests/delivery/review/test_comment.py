"""The comment as a whole: against recordings of real previews, and how it is cut."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from delivery.review.comment import LIMIT, MARKER, comment
from delivery.review.drift import Drift, read_drift
from delivery.review.preview import Digest, PreviewError
from delivery.review.section import Reviewed
from tests.delivery.review.recorded import change, reviewed

GOLDEN = Path(__file__).with_name("golden.md")
DRIFT = """{"stack": "integration", "site": "lab", "at": "2026-11-25T17:00:00Z", "verdict": "drifted", "changes": 2,
"unknown": 1, "resources": [
{"urn": "urn:pulumi:i::h::hypercompose:host:Sysctl::vm-sysctl", "component": "HostBaseline", "kind": "Sysctl",
 "host": "vm", "status": "drifted", "changes": [{"property": "settings", "old": "CANARY", "new": "CANARY"}]},
{"urn": "urn:pulumi:i::h::hypercompose:host:User::a|b", "component": "", "status": "unknown", "changes": []},
{"urn": "urn:pulumi:i::h::hypercompose:host:User::fine", "component": "x", "status": "clean", "changes": []}]}"""


def many(number: int, changes: int) -> list[Reviewed]:
    """Stacks with a lot to tell; each third one deletes a VM."""
    return [
        Reviewed(
            digest=Digest(
                stack=f"casino-{n:03}",
                site="main",
                changes=tuple(
                    change(
                        "delete" if n % 3 == 0 else "update",
                        "VmLegacy",
                        f"vm-{c}-vm",
                        component=f"vm-{c}",
                        keys=("memory",),
                    )
                    for c in range(changes)
                ),
                unchanged=40,
            )
        )
        for n in range(number)
    ]


def test_real_previews_are_rendered_as_recorded() -> None:
    names = ("changed", "disk-removed", "failed", "replaced", "stack-deleted")
    stacks = [
        *(reviewed(name, name) for name in names),
        Reviewed(digest=Digest(stack="calm", site="lab", unchanged=48)),
    ]
    drifted = Reviewed(digest=Digest(stack="integration", site="lab", unchanged=43), drift=read_drift(DRIFT))
    text = comment([*stacks, drifted], commit="0123456789abcdef", left_out=["casino-b", "casino-a"], removed=["old"])
    assert text == GOLDEN.read_text()


def test_the_order_is_that_of_gravity() -> None:
    text = comment(
        [
            Reviewed(digest=Digest(stack="calm")),
            reviewed("changed", "c"),
            reviewed("gone", "g"),
            reviewed("failed", "f"),
        ]
    )
    places = [text.index(f"### `{stack}`") for stack in ("f", "g", "c", "calm")]
    assert places == sorted(places)


def test_nothing_affected_is_said() -> None:
    assert "No stack is affected." in comment([])


@pytest.mark.parametrize(("number", "changes"), [(1, 3000), (5, 200), (60, 20), (320, 1), (2000, 1)])
def test_a_long_comment_is_cut_and_its_counts_are_kept(number: int, changes: int) -> None:
    stacks = many(number, changes)
    text = comment(stacks)
    deleted = sum(one.digest.count("delete") for one in stacks)
    updated = sum(one.digest.count("update") for one in stacks)
    assert len(text.encode()) <= LIMIT < 32_768
    assert f"{number} stack{'s' if number > 1 else ''} previewed: 0 created, {updated} updated, 0 replaced, " in text
    assert f"**{deleted} deleted**, {40 * number} unchanged." in text
    assert "Cut to fit" in text or number * changes == 100


def test_a_stack_that_is_too_large_for_a_table_still_tells_the_first_rows_and_what_is_lost() -> None:
    text = comment(many(1, 3000))
    assert "- VM `vm-0` is **deleted**: **its root disk is lost**" in text
    assert "more, **29" in text  # of the points about data
    assert re.search(r"\| and \d+ rows more \| \d+ deleted \|  \|", text)


def test_a_line_says_that_data_are_lost() -> None:
    assert (
        "- `casino-000`: 0 created, 0 updated, 0 replaced, **1 deleted**, 40 unchanged, **data lost in 1 place**"
        in comment(many(2000, 1))
    )


def test_every_stack_of_a_long_comment_has_its_counts() -> None:
    stacks = many(320, 1)
    text = comment(stacks)
    assert all(f"`{one.digest.stack}`" in text for one in stacks)


def test_stacks_that_do_not_even_fit_as_lines_are_counted_together() -> None:
    text = comment(many(2000, 1))
    shown = text.count("`casino-")
    assert f"And {2000 - shown} stacks more: " in text
    assert "`casino-000`" in text  # it deletes, so it comes first


def test_a_small_comment_is_not_cut() -> None:
    assert "Cut to fit" not in comment([reviewed("replaced")])


def test_the_marker_is_the_first_line() -> None:
    assert comment([]).splitlines()[0] == MARKER


def test_drift_tells_names_and_no_values() -> None:
    text = comment([Reviewed(digest=Digest(stack="i"), drift=read_drift(DRIFT))])
    assert "**2 resources changed by somebody else, 1 could not be reached**" in text
    assert "- `HostBaseline` `vm-sysctl`: `settings`" in text
    assert "not reached" in text
    assert "CANARY" not in text


@pytest.mark.parametrize(
    ("verdict", "told"), [("clean", "none"), ("unknown", "**unknown"), ("fine, I guess", "**unknown")]
)
def test_what_is_not_known_is_never_clean(verdict: str, told: str) -> None:
    drift = read_drift(f'{{"verdict": "{verdict}", "resources": []}}')
    assert f"Drift: {told}" in comment([Reviewed(digest=Digest(stack="i"), drift=drift)])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"verdict": "clean", "changes": "many"}'])
def test_what_is_no_drift_report_is_refused(text: str) -> None:
    with pytest.raises(PreviewError, match="drift report"):
        read_drift(text)


def test_drift_of_many_resources_is_cut() -> None:
    resources = ",".join(f'{{"urn": "a::b::c::r{n}", "status": "drifted", "changes": []}}' for n in range(500))
    drift: Drift = read_drift(f'{{"verdict": "drifted", "changes": 500, "resources": [{resources}]}}')
    text = comment([Reviewed(digest=Digest(stack="i"), drift=drift)])
    assert "**500 resources changed by somebody else**" in text
    assert "- and 460 more" in text
