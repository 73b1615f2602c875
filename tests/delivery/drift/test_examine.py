"""From what the engine printed to what is said of each resource."""

from __future__ import annotations

import json
from typing import Any

import pytest

from delivery.drift.events import gather
from delivery.drift.examine import report_of
from delivery.drift.paths import MASK
from delivery.drift.report import Change, Report, Status
from provider.resource import UNREAD
from provider.values import SECRET, SIGNATURE
from tests.delivery.drift.recorded import SUBJECT, lines, named, report, state


def by_status(found: Report, status: Status) -> set[str]:
    return {one.name for one in found.resources if one.status is status}


def test_right_after_an_up_everything_is_clean_and_nothing_is_to_do() -> None:
    found = report("clean")
    assert found.verdict is Status.CLEAN
    assert by_status(found, Status.CLEAN) == {one.name for one in found.resources}
    assert {one.next for one in found.resources} == {"same"}
    assert (found.pending, found.unplanned) == ((), "")


def test_each_change_is_told_as_recorded_and_as_found_in_the_things_own_words() -> None:
    found = report("drift-pending")
    assert found.verdict is Status.DRIFTED
    assert {one.name: one.changes for one in found.resources if one.changes} == {
        "vm-apps-vm": (Change(property="memory.dedicated", recorded=2048, found=3072),),
        "vm-apps-sysctl": (Change(property='settings["net.ipv4.tcp_fin_timeout"]', recorded="45", found="60"),),
        "vm-plain-sysctl": (Change(property='settings["net.ipv4.tcp_fin_timeout"]', recorded="45", found="61"),),
        "vm-apps-docker-daemon": (
            Change(property='config["log-opts"]["max-size"]', recorded="10m", found="99m"),
            Change(
                property="state",
                recorded="as wanted",
                found="the running daemon has older settings than /etc/docker/daemon.json",
            ),
        ),
        "echo": (Change(property="state", recorded="as wanted", found="echo has no container"),),
        "guestbook": (Change(property="state", recorded="as wanted", found="web is exited (0)"),),
    }


def test_a_resource_has_its_place() -> None:
    one = named(report("drift-pending"), "vm-apps-docker-daemon")
    assert (one.host, one.component, one.kind, one.next) == ("vm-apps", "DockerHost", "DockerDaemon", "update")
    stack = named(report("drift-pending"), "guestbook")
    assert (stack.host, stack.component, stack.kind) == ("vm-apps", "PortainerStack", "Stack")


def test_settings_not_applied_yet_are_no_drift_and_a_repair_is_no_setting() -> None:
    found = report("drift-pending")
    assert {one.name: one.properties for one in found.pending} == {
        f"vm-{name}-sysctl": ('settings["net.ipv4.tcp_fin_timeout"]', 'settings["net.ipv4.tcp_syncookies"]')
        for name in ("apps", "plain")
    }


def test_a_host_that_does_not_answer_is_unknown_and_the_drift_of_the_other_is_told() -> None:
    found = report("stopped")
    assert by_status(found, Status.UNKNOWN) == {
        f"vm-plain-{part}" for part in ("host-key", "host", "packages", "sysctl")
    }
    assert all("No route to host" in one.reason for one in found.resources if one.status is Status.UNKNOWN)
    assert {one.next for one in found.resources if one.status is Status.UNKNOWN} == {""}
    assert by_status(found, Status.DRIFTED) == {"vm-plain-vm", "vm-apps-sysctl"}
    assert named(found, "vm-plain-vm").changes == (Change(property="started", recorded=True, found=False),)


def test_what_is_gone_says_so_and_what_follows_from_it_is_no_setting() -> None:
    found = report("gone")
    vm = named(found, "vm-plain-vm")
    assert (vm.changes, vm.next) == ((Change(property="", recorded="there", found="gone"),), "create")
    assert named(found, "vm-plain-sysctl").next == "replace"
    assert found.pending == ()


def test_one_vm_that_cannot_be_read_hides_nothing_of_the_others() -> None:
    found = report("vm-595")
    assert by_status(found, Status.DRIFTED) == {"vm-apps-sysctl"}
    vm = named(found, "vm-plain-vm")
    reason = "error retrieving VM 1310: received an HTTP 595 response - Reason: No route to host"
    assert (vm.status, vm.reason) == (Status.UNKNOWN, reason)
    assert named(found, "vm-apps-vm").status is Status.CLEAN
    assert (vm.next, found.unplanned) == ("", "vm-plain-vm could not be read, and the engine makes no plan without")


def test_without_the_api_vms_are_unknown_and_hosts_are_read() -> None:
    found = report("api-drop")
    assert by_status(found, Status.UNKNOWN) >= {"vm-apps-vm", "vm-plain-vm", "vm-apps-seed"}
    assert by_status(found, Status.DRIFTED) == {"vm-apps-sysctl"}
    assert named(found, "vm-apps-docker-daemon").status is Status.CLEAN


@pytest.mark.parametrize("cut", [0, 7, 20, 40])
def test_whatever_the_engine_did_not_come_to_is_unknown(cut: int) -> None:
    found = report_of(SUBJECT, state(), gather(lines("clean")[:cut]))
    read = {json.loads(line)["resOutputsEvent"]["metadata"]["urn"] for line in lines("clean")[:cut] if "resOut" in line}
    assert {one.urn for one in found.resources if one.status is Status.CLEAN} <= read
    assert found.verdict is Status.UNKNOWN
    assert found.unplanned


def test_an_unread_resource_is_unknown_though_the_engine_shows_it_unchanged() -> None:
    urn = named(report("clean"), "vm-apps-sysctl").urn
    reason = "10.96.0.31: its host key is not the pinned one\nNo command was run"
    told = {"urn": urn, "severity": "warning", "message": f"{UNREAD}{reason}"}
    found = report("clean", json.dumps({"diagnosticEvent": told}))
    assert found.verdict is Status.UNKNOWN
    assert "not the pinned one" in named(found, "vm-apps-sysctl").reason


def test_lines_that_are_no_events_and_words_that_pass_are_left_out() -> None:
    passing = {"diagnosticEvent": {"urn": "x", "severity": "error", "message": "on its way", "ephemeral": True}}
    assert report("clean", "{half", "warning: x", json.dumps(passing)).verdict is Status.CLEAN


def step(urn: str, **of: Any) -> dict[str, Any]:
    return {"metadata": {"op": "refresh", "urn": urn, **of}}


def secret_drift(recorded: Any, found: Any, path: str) -> Report:
    urn = named(report("clean"), "echo").urn
    old, new = ({"inputs": {"env": value}, "outputs": {}} for value in (recorded, found))
    diff = {path: {"diffKind": "update", "inputDiff": True}}
    events = [
        {"resourcePreEvent": step(urn, old=old, new=old)},
        {"resOutputsEvent": step(urn, old=old, new=new, detailedDiff=diff)},
    ]
    return report("clean", *map(json.dumps, events))


def marked(text: str) -> dict[str, str]:
    return {SIGNATURE: SECRET, "ciphertext": text, "plaintext": text}


@pytest.mark.parametrize(
    ("recorded", "found", "path"),
    [
        (marked("canary-1"), marked("canary-2"), "env"),
        ({"A": marked("canary-1")}, {"A": marked("canary-2")}, "env.A"),
        ({"A": marked("canary-1"), "B": "x"}, {"B": "x"}, "env"),
        ({"A": "x"}, marked("canary-2"), "env.A"),
        (MASK, MASK, "env"),
    ],
)
def test_a_secret_that_differs_is_told_and_never_shown(recorded: Any, found: Any, path: str) -> None:
    said = secret_drift(recorded, found, path)
    assert named(said, "echo").status is Status.DRIFTED
    document = json.dumps(said.document())
    assert MASK in document
    assert "canary" not in document


def test_commands_are_clean_with_the_reason_that_nothing_reads_them() -> None:
    urn = "urn:pulumi:apps::hypercompose::hypercompose:host:HostCommands$command:remote:Command::vm-apps-command-warm"
    resources = [{"urn": urn, "type": "command:remote:Command", "custom": True}]
    event = json.dumps({"resOutputsEvent": step(urn, old={}, new={}), "x": 1})
    begun = json.dumps({"resourcePreEvent": step(urn, old={}, new={})})
    found = report_of(SUBJECT, {"deployment": {"resources": resources}}, gather([begun, event]))
    assert [(one.status, one.reason) for one in found.resources] == [
        (Status.CLEAN, "nothing reads the effect of a command")
    ]


def test_components_providers_and_what_waits_to_be_deleted_are_no_subjects() -> None:
    found = report("clean")
    kinds = {one.kind for one in found.resources}
    assert not kinds & {"Stack", "RockyAppVm", "hypercompose"} - {"Stack"}
    assert all("pulumi:providers" not in one.urn for one in found.resources)
    waiting = {
        "deployment": {"resources": [{"urn": "a::b::t:m:T::x", "type": "t:m:T", "custom": True, "delete": True}]}
    }
    assert report_of(SUBJECT, waiting, gather([])).resources == ()


def plan(op: str, urn: str, recorded: Any, wanted: Any) -> str:
    new = None if wanted is None else {"inputs": wanted, "outputs": {}}
    names = {*recorded, *(wanted or {})}
    diff = {name: {"diffKind": "update"} for name in names if recorded.get(name) != (wanted or {}).get(name)}
    made = step(urn, op=op, old={"inputs": recorded}, new=new, detailedDiff=diff)
    return json.dumps({"resourcePreEvent": made})


def test_what_the_settings_add_and_take_away_is_pending() -> None:
    urn = named(report("clean"), "echo").urn
    added = plan("create", urn.replace("::echo", "::another"), {}, {"env": {}})
    taken = plan("delete", urn, {"env": {}}, None)
    pending = report("clean", added, taken).pending
    assert {one.name: one.operation for one in pending} == {"another": "create", "echo": "delete"}
    assert report("clean", added, taken).verdict is Status.CLEAN
