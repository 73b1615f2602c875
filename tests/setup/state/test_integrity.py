"""A deployment that does not fit together is found without the engine, and says what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from setup.state.integrity import faults
from tests.setup.state.states import deployment, resource, urn

PROVIDER = resource(name="p", kind="pulumi:providers:a", custom=True, id="1")
REFERENCE = f"{urn('p', 'pulumi:providers:a')}::1"


@pytest.mark.parametrize(
    "resources",
    [
        [],
        [resource(name="a"), resource(name="b", parent=urn("a"), dependencies=[urn("a")], deletedWith=urn("a"))],
        [resource(name="a"), resource(name="b", propertyDependencies={"x": [urn("a")], "y": None})],
        [PROVIDER, resource(name="a", provider=REFERENCE)],
        [resource(name="a"), resource(name="a", delete=True), resource(name="a", delete=True)],
        [resource(name="a", provider="gone::1", pendingReplacement=True)],
    ],
)
def test_what_the_engine_writes_is_sound(resources: list[dict[str, Any]]) -> None:
    assert list(faults(deployment(resources=resources))) == []


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ([resource(name="b", parent=urn("a"))], "its parent"),
        ([resource(name="b", parent=urn("a")), resource(name="a")], "is missing before it"),
        ([resource(name="b", dependencies=[urn("a")])], "its dependency"),
        ([resource(name="b", propertyDependencies={"disk|x": [urn("a")]})], "dependency (by 'disk|x')"),
        ([resource(name="b", deletedWith=urn("a"))], "its deletedWith"),
        ([resource(name="b", replaceWith=[urn("a")])], "its replaceWith"),
        ([resource(name="b", provider=REFERENCE)], "its provider"),
        ([{**PROVIDER, "id": "2"}, resource(name="b", provider=REFERENCE)], "its provider"),
        ([resource(name="a"), resource(name="a")], "is there 2 times"),
        ([resource(name="a"), "resource"], "resources[1]"),
        ([{"urn": urn("a")}], "resources[0]"),
        ([{"urn": 7, "type": "a:b:C"}], "resources[0]"),
        ({"a": 1}, "resources: no resource"),
        ([resource(name="b", parent="urn\n\x1b[2J<script>|$(reboot)")], r"'urn\n\x1b[2J<script>|$(reboot)'"),
    ],
)
def test_what_does_not_fit_is_named(resources: Any, says: str) -> None:
    assert says in next(faults(deployment(resources=resources)))


@pytest.mark.parametrize(
    "manifest", [None, [], {}, {"version": "v3.259.0", "magic": "0"}, {"version": None, "magic": ""}, {"magic": 7}]
)
def test_a_manifest_that_the_engine_did_not_write(manifest: Any) -> None:
    assert next(faults({**deployment(), "manifest": manifest})).startswith("its manifest")


def test_pending_operations_are_a_list() -> None:
    assert list(faults(deployment(pending_operations={"a": 1}))) == ["pending_operations: expected a list"]
    assert list(faults(deployment(pending_operations=[{}]))) == []
