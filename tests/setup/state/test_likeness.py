"""The same is told from another whatever the engine's threads did; a change is always told."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from setup.state.likeness import essence
from tests.setup.state.states import deployment, resource, urn

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:a:b"}
RESOURCES: list[dict[str, Any]] = [
    resource(name="a", stackTrace=[{"sourcePosition": "x#1"}], sourcePosition="x#1", modified="2026-11-25T12:00:00Z"),
    resource(name="b", outputs={"hide": [SECRET], "count": 1}),
    resource(name="c", dependencies=[urn("a"), urn("b")], propertyDependencies={"x": [urn("a"), urn("b")]}),
]


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    resources: Any = copy.deepcopy(RESOURCES)
    holder = resources
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = to
    return deployment(resources=resources)


@pytest.mark.parametrize(
    "other",
    [
        deployment(at="2027-01-01T00:00:00Z", resources=RESOURCES),
        deployment(resources=[RESOURCES[1], RESOURCES[0], RESOURCES[2]]),
        changed(0, "stackTrace", to=[]),
        changed(0, "sourcePosition", to="y#9"),
        changed(1, "outputs", "hide", 0, "ciphertext", to="v1:c:d"),
        changed(2, "dependencies", to=[urn("b"), urn("a")]),
        changed(2, "propertyDependencies", to={"x": [urn("b"), urn("a")]}),
    ],
)
def test_how_it_was_written_does_not_count(other: dict[str, Any]) -> None:
    assert essence(other) == essence(deployment(resources=RESOURCES))


@pytest.mark.parametrize(
    "other",
    [
        deployment(),
        deployment(resources=RESOURCES, pending_operations=[{}]),
        deployment(resources=RESOURCES[:2]),
        changed(0, "modified", to="2026-11-25T12:00:01Z"),  # all that a new value of a secret shows
        changed(0, "id", to="1"),
        changed(0, "protect", to=True),
        changed(1, "outputs", "count", to=2),
        changed(1, "outputs", "hide", to=[]),
        changed(2, "dependencies", to=[urn("a")]),
        {**deployment(resources=RESOURCES), "secrets_providers": None},
    ],
)
def test_whatever_else_differs_does(other: dict[str, Any]) -> None:
    assert essence(other) != essence(deployment(resources=RESOURCES))
