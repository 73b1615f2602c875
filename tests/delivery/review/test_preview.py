"""What is kept of a preview: names, and nothing else."""

from __future__ import annotations

import json

import pytest

from delivery.review.preview import Digest, PreviewError, digest
from tests.delivery.review import recorded
from tests.delivery.review.recorded import NOBODY


def test_counts_are_those_of_the_engine() -> None:
    for name in set(recorded.NAMES) - {"failed"}:
        found, summary = recorded.digested(name), recorded.said(name)["changeSummary"]
        counted = {operation: found.count(operation) for operation in ("create", "update", "replace", "delete")}
        assert {k: v for k, v in counted.items() if v} == {k: v for k, v in summary.items() if k != "same"}
        assert found.unchanged == summary.get("same", 0)


def test_a_change_has_its_component_and_its_keys() -> None:
    changes = {change.name: change for change in recorded.digested("changed").changes}
    assert changes["vm-acceptance-app-1-sysctl"].keys == ('settings["net.ipv4.tcp_syncookies"]',)
    assert changes["vm-acceptance-app-1-vm"].component == "vm-acceptance-app-1"
    assert changes["vm-acceptance-app-1-vm"].component_kind == "RockyAppVm"
    assert changes["guestbook"].component_kind == "PortainerStack"


def test_a_replacement_has_its_reason() -> None:
    changes = {change.name: change for change in recorded.digested("replaced").changes}
    assert changes["vm-acceptance-app-1-seed"].because == ("templateId",)
    assert changes["vm-acceptance-app-1-data"].lives_on == "vm-acceptance-app-1-vm"


def test_a_digest_comes_back_from_its_text() -> None:
    for name in recorded.NAMES:
        found = recorded.digested(name)
        assert Digest.from_json(found.to_json()) == found


def test_noise_before_the_json_is_skipped() -> None:
    noise = "warning: using {a plugin} from $PATH\n{}\n"
    assert digest("acceptance", noise + recorded.text("changed"), 0, NOBODY, "lab") == recorded.digested("changed")


def test_a_failed_preview_tells_its_errors_and_no_plan() -> None:
    found = recorded.digested("failed")
    assert found.changes == ()
    assert found.errors[0].startswith("error: Pulumi.acceptance.yaml: vms[0].networks[0].bridge: ***, expected one of")


def test_what_fails_beside_the_plan_is_told_by_what_was_said_around_it() -> None:
    noise = "warning: using a plugin\nerror: policy pack says no\n"
    assert digest("a", f"{noise}{recorded.text('changed')}", 255, NOBODY).errors == ("error: policy pack says no",)


@pytest.mark.parametrize("code", [0, 255])
@pytest.mark.parametrize("said", ["", "no JSON at all", "{", '{"other": 1}', "[]", '{"steps": [', "{{{{"])
def test_what_is_no_preview_counts_as_failed(said: str, code: int) -> None:
    assert digest("a", said, code, NOBODY).errors


def test_several_steps_of_one_replacement_count_once() -> None:
    steps = [
        {"op": op, "urn": "urn:pulumi:a::p::t:m:T::x"} for op in ("create-replacement", "replace", "delete-replaced")
    ]
    found = digest("a", json.dumps({"steps": steps}), 0, NOBODY)
    assert [change.operation for change in found.changes] == ["replace"]


def test_names_may_hold_what_separates_urns() -> None:
    step = {"op": "create", "urn": "urn:pulumi:a::p::x:y:Z$t:m:T::one::two", "newState": {"custom": True}}
    assert digest("a", json.dumps({"steps": [step]}), 0, NOBODY).changes[0].name == "one::two"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stack": "a", "changes": [{"nonsense": 1}]}', '{"changes": 3}'])
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(PreviewError, match="make it anew"):
        Digest.from_json(text)
