"""Every step on both families: fresh, already so, changed by hand, other arguments, reverted, hostile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from provisioning.steps.kind import AS_WANTED
from tests.steps.cases import Case, all_cases
from tests.steps.guests import StepGuests

pytestmark = pytest.mark.lab
SHOWN = [(case, family) for case in all_cases() for family in case.families if not case.not_run]


def holds(found: Any, expected: Any) -> bool:
    """Whether everything expected is found; a text is searched for in `state`."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(holds(found.get(name), value) for name, value in expected.items())
    return bool(found == expected)


@pytest.mark.parametrize(("case", "family"), SHOWN, ids=lambda value: str(value))
def test_a_step_is_applied_healed_changed_and_taken_back(guests: StepGuests, case: Case, family: str) -> None:
    case = guests.filled(case)
    kind, place, name = case.tested, guests.addresses[family], f"case-{case}".lower()
    guests.must(family, case.before)

    def read(args: Mapping[str, Any]) -> dict[str, Any]:
        return kind.read(args, guests.hosts.look(place, kind.step(name, args)))

    def is_as_wanted(args: Mapping[str, Any]) -> None:
        assert read(args) == {**args, "state": AS_WANTED}

    step = kind.step(name, case.fresh)
    try:
        assert read(case.fresh) != {**case.fresh, "state": AS_WANTED}, "the case starts as wanted: it shows nothing"
        assert guests.hosts.converge(place, step, can_lock_out=kind.can_lock_out).changed
        is_as_wanted(case.fresh)
        guests.must(family, case.after)
        assert not guests.hosts.converge(place, step).changed
        for change in case.changed:
            guests.must(family, change["by"])
            seen = read(case.fresh)
            expected = dict(change["reads"])
            assert expected.pop("state", "") in seen["state"], seen
            assert holds(seen, expected), seen
            assert guests.hosts.converge(place, step).changed
            is_as_wanted(case.fresh)
            guests.must(family, case.after)
        if case.other is not None:
            step = kind.step(name, case.other)
            assert guests.hosts.converge(place, step).changed
            is_as_wanted(case.other)
            guests.must(family, case.after_other)
        for hostile in (h for h in case.hostile if "refused" not in h):
            step = kind.step(name, hostile["args"])
            guests.hosts.converge(place, step)
            is_as_wanted(hostile["args"])
            guests.must(family, "test ! -e /tmp/pwned")
            guests.must(family, hostile.get("after", "true"))
    finally:
        guests.hosts.revert(place, step)
    guests.must(family, case.reverted)
    guests.hosts.revert(place, step)  # safe where there is nothing to take back
    guests.must(family, f"{case.reverted}\ntest ! -e /var/lib/hypercompose")
