"""The gated stack as a resource: what is left of one that was refused, what shows as drift, what the gate is told."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shlex
from typing import Any

import pytest

from provider.resource import Context, HalfMade
from provider.resources import TYPES
from provider.resources.portainer.gated_stack import GatedStack, seconds, settings_of
from provisioning.errors import ProvisioningError
from provisioning.gate.config import Folders, Gated
from provisioning.host import Address, ConnectionLost, HostUnreachable, Result
from tests.provider.portainer.serving import PLACE, SERVER

URN = "urn:pulumi:dev::hypercompose::hypercompose:portainer:GatedStack::shop-gate"
HOSTILE = "$(reboot) 'a' \"b\" `id`\nnew line 🐘"
INPUTS: dict[str, Any] = {
    "vm": "1100", "server": SERVER, "environmentId": 3, "connection": PLACE, "name": "shop", "owner": "lab/dev/shop",
    "url": "https://git.lab/a.git", "ref": "refs/heads/dev/shop", "path": "compose.yaml", "additional": ["more.yaml"],
    "user": "ops", "password": "git-pw", "authorities": "PEM", "env": {"B": HOSTILE, "A": "1"},
    "allowedPaths": ["/srv"], "interval": "1m", "timeoutS": 60, "commit": "c" * 40, "repushed": "deploy",
    "hook": "hook-1", "webhook": "webhook-1", "hide": ["Canary"], "state": "as wanted",
}  # fmt: skip
STATUS: dict[str, Any] = {
    "stack": "shop", "state": "as wanted", "reason": "", "asked": "c" * 40, "running": "c" * 40, "release": "r" * 40,
    "images": {"web": "w@sha256:ab"}, "by": "up", "author": "A", "since": "now", "repushed": {},
}  # fmt: skip
OUTPUTS = {"asked": "c" * 40, "runningCommit": "c" * 40, "release": "r" * 40, "images": {"web": "w@sha256:ab"}}


class FakeHosts:
    """A host whose gate answers what a test says; notes what it is asked."""

    def __init__(self) -> None:
        self.programs: list[str] = []
        self.timeouts: list[float] = []
        self.status: dict[str, Any] = dict(STATUS)
        self.error = ""
        self.lost: Exception | None = None
        self.text: str | None = None
        self.settings = settings_of(INPUTS)

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        assert address.host == PLACE["host"]
        self.programs.append(program)
        self.timeouts.append(timeout_s)
        if self.lost:
            raise self.lost
        if self.text is not None:
            return Result(int(bool(self.error)), self.text, self.error)
        first = ""
        if "hypercompose-gate remove" in program:
            return Result(0, "", "")
        if "sha256sum" in program:
            first = hashlib.sha256(json.dumps(self.settings).encode()).hexdigest() + "\n"
        return Result(int(bool(self.error)), first + json.dumps(self.status) + "\n", self.error)

    @property
    def forgets(self) -> bool:
        return "hypercompose-gate remove" in self.programs[-1]


@pytest.fixture
def hosts() -> FakeHosts:
    return FakeHosts()


@pytest.fixture
def context(hosts: FakeHosts) -> Context:
    found = Context(proxmox=None, load_ssh=lambda: None)  # type: ignore[arg-type,return-value]
    found._hosts, found._ssh = hosts, object()  # type: ignore[assignment]
    return found


def refuse(hosts: FakeHosts, text: str = "refused: cccccccccc: bad yaml", **status: Any) -> None:
    hosts.error = f"… reading the commit\n{text}\n"
    hosts.status = {**STATUS, "state": "refused", "reason": "bad yaml", **status}


def test_it_is_one_of_the_types_of_the_provider() -> None:
    assert isinstance(TYPES[GatedStack.type], GatedStack)


def test_a_created_one_tells_commit_release_and_images(hosts: FakeHosts, context: Context) -> None:
    identity, outputs = GatedStack().create(context, INPUTS)
    assert identity == "10.0.0.9/shop" and outputs == {**OUTPUTS, "why": ""}
    assert hosts.timeouts[0] > 3 * 60  # forward, and back


def test_a_first_release_that_nobody_runs_yet_tells_the_commit_that_is_asked_for(
    hosts: FakeHosts, context: Context
) -> None:
    hosts.status = {**STATUS, "state": "prepared", "running": ""}
    _, outputs = GatedStack().create(context, INPUTS)
    assert outputs == {**OUTPUTS, "why": ""}


def test_one_that_is_refused_leaves_nothing(hosts: FakeHosts, context: Context) -> None:
    refuse(hosts, running="")
    with pytest.raises(ProvisioningError, match=r"^stack shop on 10\.0\.0\.9: cccccccccc: bad yaml$") as failed:
        GatedStack().create(context, INPUTS)
    assert not isinstance(failed.value, HalfMade) and hosts.forgets


def test_one_that_runs_in_an_older_version_is_half_made_and_not_forgotten(hosts: FakeHosts, context: Context) -> None:
    refuse(hosts, running="a" * 40)
    with pytest.raises(HalfMade, match="bad yaml") as failed:
        GatedStack().create(context, INPUTS)
    assert failed.value.identity == "10.0.0.9/shop" and not hosts.forgets


def test_a_connection_that_is_lost_on_the_way_leaves_it_half_made(hosts: FakeHosts, context: Context) -> None:
    hosts.lost = ConnectionLost("10.0.0.9: gone")
    with pytest.raises(HalfMade, match=r"stack shop on 10\.0\.0\.9: 10\.0\.0\.9: gone"):
        GatedStack().create(context, INPUTS)
    assert len(hosts.programs) == 1


def test_a_host_that_was_never_reached_leaves_nothing(hosts: FakeHosts, context: Context) -> None:
    hosts.lost = HostUnreachable("10.0.0.9: no route")
    with pytest.raises(HostUnreachable):
        GatedStack().create(context, INPUTS)


def test_a_read_is_how_it_stands(hosts: FakeHosts, context: Context) -> None:
    state = {**INPUTS, **OUTPUTS}
    assert GatedStack().read(context, URN, "x", state) == {**state, "state": "as wanted", "why": ""}
    hosts.status = {**STATUS, "state": "degraded", "reason": "web is gone", "running": "a" * 40}
    found = GatedStack().read(context, URN, "x", state)
    assert found and (found["state"], found["why"]) == ("degraded: web is gone",) * 2
    assert (found["runningCommit"], found["asked"]) == ("a" * 40, "c" * 40)


def test_settings_by_another_hand_show_as_drift(hosts: FakeHosts, context: Context) -> None:
    hosts.settings = {**hosts.settings, "env": {}}
    found = GatedStack().read(context, URN, "x", {**INPUTS, **OUTPUTS})
    assert found and found["state"] == "changed: its settings on the host are others than ours"


def test_one_that_the_gate_does_not_know_is_gone(hosts: FakeHosts, context: Context) -> None:
    hosts.text = "absent\n"
    assert GatedStack().read(context, URN, "x", {**INPUTS, **OUTPUTS}) is None


def test_a_host_that_does_not_answer_leaves_what_was_recorded_and_warns(hosts: FakeHosts) -> None:
    warned: list[str] = []
    context = Context(
        proxmox=None,  # type: ignore[arg-type]
        load_ssh=lambda: None,  # type: ignore[arg-type,return-value]
        warn=lambda urn, text: warned.append(text),
    )
    context._hosts, context._ssh = hosts, object()  # type: ignore[assignment]
    hosts.lost = HostUnreachable("10.0.0.9: no route")
    state = {**INPUTS, **OUTPUTS}
    assert GatedStack().read(context, URN, "x", state) == state and "no route" in warned[0]


def test_a_gate_that_does_not_tell_is_an_error_and_not_gone(hosts: FakeHosts, context: Context) -> None:
    hosts.text, hosts.error = "", "hypercompose-gate: not found"
    with pytest.raises(ProvisioningError, match="hypercompose-gate: not found"):
        GatedStack().read(context, URN, "x", {**INPUTS, **OUTPUTS})


def test_an_update_that_is_refused_says_where_and_why_without_the_way_there(hosts: FakeHosts, context: Context) -> None:
    refuse(hosts)
    with pytest.raises(ProvisioningError) as failed:
        GatedStack().update(context, {**INPUTS, **OUTPUTS}, INPUTS)
    assert str(failed.value) == "stack shop on 10.0.0.9: cccccccccc: bad yaml"
    assert not hosts.forgets


def test_a_gate_that_ends_without_a_word_is_told_as_that(hosts: FakeHosts, context: Context) -> None:
    hosts.text, hosts.error = "", "\n"
    with pytest.raises(ProvisioningError, match="ended without a word"):
        GatedStack().update(context, {**INPUTS, **OUTPUTS}, INPUTS)


def test_to_delete_it_is_to_forget_it(hosts: FakeHosts, context: Context) -> None:
    GatedStack().delete(context, "x", {**INPUTS, **OUTPUTS})
    assert hosts.forgets and len(hosts.programs) == 1


@pytest.mark.parametrize("interval", ["", "1s", "5m", "24h", "1h2m3s"])
def test_an_interval_that_can_be_kept_is_taken(interval: str, context: Context) -> None:
    assert list(GatedStack().check(context, URN, {}, {"interval": interval})) == []


@pytest.mark.parametrize("interval", ["0s", "25h", "5", "1m1h", "-1s", "1.5s", " 1s", "m"])
def test_another_interval_is_refused_by_name(interval: str, context: Context) -> None:
    (problem,) = GatedStack().check(context, URN, {}, {"interval": interval})
    assert problem.property == "interval" and "expected 1s to 24h" in problem.reason


def test_an_interval_is_seconds() -> None:
    assert [seconds(text) for text in ("", "1s", "5m", "1h2m3s")] == [0, 1, 300, 3723]


def test_settings_are_those_that_the_gate_reads_whatever_is_in_them(folders: Folders) -> None:
    folders.file_of("shop").parent.mkdir(parents=True)
    folders.file_of("shop").write_text(json.dumps(settings_of(INPUTS)))
    found = folders.stack("shop")
    assert {field.name for field in dataclasses.fields(Gated)} == set(settings_of(INPUTS))
    assert dict(found.env) == {"A": "1", "B": HOSTILE} and found.interval_s == 60
    assert (found.additional, found.allowed_paths, found.hide) == (("more.yaml",), ("/srv",), ("Canary",))
    assert (found.commit, found.repushed, found.portainer) == ("c" * 40, "deploy", "https://10.0.0.9:9443")


def test_settings_do_not_change_with_the_order_of_variables() -> None:
    turned = {**INPUTS, "env": dict(reversed(INPUTS["env"].items()))}
    assert json.dumps(settings_of(turned)) == json.dumps(settings_of(INPUTS))


def test_what_is_left_out_has_the_gates_own_defaults() -> None:
    left_out = {"additional", "user", "password", "authorities", "env", "allowedPaths", "interval", "commit", "hide"}
    found = settings_of({key: value for key, value in INPUTS.items() if key not in left_out | {"repushed", "timeoutS"}})
    assert (found["interval_s"], found["timeout_s"], found["repushed"], found["running"]) == (0, 180, "report", True)
    assert found["env"] == {} and found["user"] == found["password"] == found["commit"] == ""


def test_settings_travel_in_the_program_and_on_no_command_line(hosts: FakeHosts, context: Context) -> None:
    GatedStack().create(context, INPUTS)
    (program,) = hosts.programs
    assert shlex.quote(json.dumps(settings_of(INPUTS))) in program
    assert 'printf %s "$settings"' in program and "hypercompose-gate sync" in program
