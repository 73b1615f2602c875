"""Instances as people and programs read them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from hosting.listing import Listed
from hosting.report import line_of, lines_of, plain
from hosting.vocabulary import Run, State
from tests.hosting.world import DAY, HOUR, MINUTE, NOW


def listed(name: str = "shop", **changes: Any) -> Listed:
    usual: dict[str, Any] = {
        "id": "1-2", "product": "odoo", "version": "14", "size": "small", "tenant": "acme", "owner": "ann",
        "host": "lab/app", "address": "10.0.0.9", "ports": {"web": 20000, "websocket": 20001}, "state": State.RUNNING,
        "run": Run.STARTED, "deadline": NOW + 2 * DAY, "left": 2 * DAY, "destroy_after": None, "why": "", "url": None,
    }  # fmt: skip
    return Listed(name=name, **{**usual, **changes})


def cells(**changes: Any) -> list[str]:
    """The line of one, cell by cell."""
    _, line = list(lines_of([listed(**changes)]))[:2]
    return [cell for cell in line.split("  ") if cell]


def test_a_table_has_a_head_and_a_line_for_each_with_columns_that_stand_below_each_other() -> None:
    head, first, second = lines_of([listed(), listed("a-much-longer-name", host="lab/application-2")])
    assert head.split() == ["name", "product", "size", "state", "host", "address", "left", "owner"]
    assert [line.index("lab/app") for line in (first, second)] == [head.index("host")] * 2
    assert first.split() == "shop odoo small running lab/app 10.0.0.9:20000,20001 2 d 0 h ann".split()


def test_none_at_all_says_how_to_ask_for_one() -> None:
    _, said = lines_of([])
    assert said == "none is there: make instance-new PRODUCT=odoo NAME=shop"


@pytest.mark.parametrize(
    ("state", "run", "expected"),
    [
        (State.REQUESTED, Run.STARTED, "requested"),
        (State.CREATING, Run.STARTED, "creating"),
        (State.RUNNING, Run.STARTED, "running"),
        (State.RUNNING, Run.STOPPED, "running (to be stopped)"),
        (State.STOPPING, Run.STOPPED, "stopping"),
        (State.STOPPED, Run.STOPPED, "stopped"),
        (State.STOPPED, Run.STARTED, "stopped (to be started)"),
        (State.STARTING, Run.STARTED, "starting"),
        (State.FAILED, Run.STARTED, "failed"),
        (State.DELETING, Run.STOPPED, "deleting"),
    ],
)
def test_every_state_is_told_and_where_it_goes(state: State, run: Run, expected: str) -> None:
    assert cells(state=state, run=run)[3] == expected
    assert line_of(listed(state=state, run=run)).startswith(f"shop: {state}, web http://10.0.0.9:20000, ")


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (None, "no limit"),
        (-MINUTE, "over"),
        (timedelta(0), "0 h 0 min"),
        (59 * MINUTE, "0 h 59 min"),
        (26 * HOUR, "1 d 2 h"),
        (400 * DAY, "400 d 0 h"),
    ],
)
def test_the_time_that_is_left_is_told_in_two_units(left: timedelta | None, expected: str) -> None:
    assert cells(left=left)[-2] == expected


def test_what_is_wrong_stands_below_its_line_each_of_its_lines_apart() -> None:
    _, _, first, second = lines_of([listed(why="host: none\n  lab/app: full")])
    assert (first, second) == ("  host: none", "    lab/app: full")


def test_one_in_a_sentence_has_addresses_end_and_what_is_wrong() -> None:
    assert line_of(listed()) == (
        "shop: running, web http://10.0.0.9:20000, websocket http://10.0.0.9:20001, until 2026-11-28 12:00 UTC"
    )
    assert line_of(listed(ports={}, deadline=None, why="no\nroom")) == "shop: running, without limit: no room"


def test_as_json_everything_is_there_and_times_have_their_zone() -> None:
    found = plain(listed(why="ünï \n$(reboot)", destroy_after=NOW, left=timedelta(seconds=90.4)))
    assert json.loads(json.dumps(found)) == found
    assert found == {
        "id": "1-2", "name": "shop", "product": "odoo", "version": "14", "size": "small", "tenant": "acme",
        "owner": "ann", "host": "lab/app", "address": "10.0.0.9", "url": None, "why": "ünï \n$(reboot)",
        "ports": {"web": 20000, "websocket": 20001}, "state": "running", "run": "started",
        "deadline": "2026-11-28T12:00:00+00:00", "destroy_after": "2026-11-26T12:00:00+00:00", "left_s": 90,
    }  # fmt: skip
    without = plain(listed(deadline=None, left=None))
    assert (without["deadline"], without["destroy_after"], without["left_s"]) == (None, None, None)
