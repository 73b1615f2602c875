"""No recorded call is forgotten."""

from __future__ import annotations

from tests.portainer.recordings import covered_by_tests, every_call, recorded

LEFT_OUT = {
    "16-swarm": "the stand-in does not deploy to a swarm, and the engine that all tests share must not become one",
}
"""Files whose calls no test plays, and why."""


def test_every_recorded_call_is_covered_or_left_out_with_a_reason() -> None:
    left_out = {(file, index) for file in LEFT_OUT for index in recorded(file)}
    missing = every_call() - covered_by_tests() - left_out
    assert not sorted(missing)
    assert not sorted(covered_by_tests() - every_call())
    assert not sorted(covered_by_tests() & left_out)


def test_all_recordings_are_here() -> None:
    assert len(every_call()) == 382
