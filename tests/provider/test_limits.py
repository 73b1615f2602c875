"""Limits: what an `up` may not delete or replace, whatever else the same commit changes."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from provider.resources.limits import Limits
from provider.values import UNKNOWN

THINGS = {"vm": {"vm-1": "a", "vm-2": "b"}, "data": {"vm-1/data": "c"}, "stack": {"guestbook": "h"}, "portainer": {}}
KINDS = ["vm", "data", "portainer", "stack"]
OLDS: dict[str, Any] = {"kinds": KINDS, "allow": [], "things": THINGS}


def refused(olds: dict[str, Any] = OLDS, **news: Any) -> list[str]:
    return [p.reason for p in Limits().check(Mock(), "urn", olds, {**OLDS, **news})]


def without(kind: str, name: str) -> dict[str, Any]:
    return {**THINGS, kind: {key: value for key, value in THINGS[kind].items() if key != name}}


@pytest.mark.parametrize(("kind", "name"), [("vm", "vm-2"), ("data", "vm-1/data"), ("stack", "guestbook")])
def test_what_would_be_deleted_is_refused_by_name_with_the_flag_that_allows_it(kind: str, name: str) -> None:
    (reason,) = refused(things=without(kind, name))
    assert reason.startswith(f"{kind} {name} would be deleted")
    assert f"allow: [{name}]" in reason
    assert refused(things=without(kind, name), allow=[name]) == []


def test_what_would_be_replaced_is_refused() -> None:
    changed = {**THINGS, "vm": {"vm-1": "other", "vm-2": "b"}}
    (reason,) = refused(things=changed)
    assert reason.startswith("vm vm-1 would be replaced")
    assert refused(things=changed, allow=["vm-1"]) == []
    assert len(refused(things=changed, allow=["vm-2"])) == 1


def test_lifting_the_limit_in_the_same_commit_is_no_way_around_it() -> None:
    assert len(refused(things=without("vm", "vm-2"), kinds=["stack"])) == 1


def test_everything_may_go_where_that_is_said() -> None:
    assert refused(things={}, allow=["*"]) == []


def test_what_was_not_limited_and_what_is_new_is_free() -> None:
    olds = {"kinds": ["stack"], "allow": [], "things": THINGS}
    assert refused(olds, kinds=["stack"], things=without("vm", "vm-2")) == []
    assert refused({}, things=THINGS) == []
    assert refused(things={**THINGS, "vm": {**THINGS["vm"], "vm-3": "n"}}) == []


def test_nothing_is_refused_while_it_is_unknown() -> None:
    assert refused(things=UNKNOWN) == []
