"""Steps as resources: inputs completed, failures kept in the state, what cannot be read is unknown."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import status_pb2

from provider import values
from provider.resource import Context, HalfMade
from provider.resources import TYPES
from provider.resources.step import StepResource
from provider.server import Provider
from provisioning.host import CommandTimeout, ConnectionLost, HostUnreachable
from provisioning.hosts import Converged, StepFailed

URN = "urn:pulumi:lab::hypercompose::hypercompose:host:Hostname::h-hostname"
PLACE = {"host": "10.0.0.1", "port": 22, "user": "ops", "host_key": "ssh-ed25519 AAAA"}
INPUTS: dict[str, Any] = {"connection": PLACE, "step": "h-hostname", "vm": "1100", "hostname": "one"}


class Hosts:
    """Answers instead of hosts."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, list[str]()

    def _give(self, what: str, step: Any) -> Any:
        self.asked.append(f"{what} {step.name}")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def look(self, address: Any, step: Any) -> Any:
        return self._give("look", step)

    def converge(self, address: Any, step: Any, *, can_lock_out: bool = False) -> Any:
        return self._give("converge", step)

    def revert(self, address: Any, step: Any) -> Any:
        return self._give("revert", step)


def context(answer: Any) -> tuple[Context, Hosts, list[str]]:
    warned: list[str] = []
    hosts = Hosts(answer)
    found = Context(proxmox=None, load_ssh=lambda: None, warn=lambda urn, text: warned.append(text))  # type: ignore[arg-type,return-value]
    found._hosts, found._ssh = hosts, object()  # type: ignore[assignment]
    return found, hosts, warned


def hostname() -> StepResource:
    found = TYPES["hypercompose:host:Hostname"]
    assert isinstance(found, StepResource)
    return found


def test_drift_is_read_as_the_arguments_are_now() -> None:
    now = hostname().read(context({"hostname": "two"})[0], URN, "id", {**INPUTS, "state": "as wanted"})
    assert now is not None
    assert (now["hostname"], now["state"]) == ("two", "as wanted")


def test_a_host_that_does_not_answer_is_unknown_and_a_warning() -> None:
    found, _, warned = context(HostUnreachable("10.0.0.1: no route"))
    assert hostname().read(found, URN, "id", INPUTS) == INPUTS
    assert warned == ["not read, so nothing is known of it: 10.0.0.1: no route"]


def test_bad_arguments_are_refused_by_property_before_anything_is_asked() -> None:
    found, hosts, _ = context(None)
    problems = list(hostname().check(found, URN, {}, {**INPUTS, "hostname": "a;reboot"}))
    assert [p.property for p in problems] == ["hostname"]
    assert list(hostname().check(found, URN, {}, {**INPUTS, "hostname": values.UNKNOWN})) == []
    assert hosts.asked == []


def test_another_vm_and_another_name_are_another_step() -> None:
    assert {"vm", "step"} <= hostname().replace_on
    user = TYPES["hypercompose:host:User"]
    assert "name" in user.replace_on


@pytest.mark.parametrize("failure", [StepFailed, ConnectionLost, CommandTimeout])
def test_a_creation_that_fails_on_its_way_names_its_id(failure: type[Exception]) -> None:
    with pytest.raises(HalfMade, match="step h-hostname: failed") as failed:
        hostname().create(context(failure("step h-hostname: failed"))[0], INPUTS)
    assert failed.value.identity == "10.0.0.1:h-hostname"


def test_a_host_that_was_never_reached_leaves_nothing_in_the_state() -> None:
    with pytest.raises(HostUnreachable):
        hostname().create(context(HostUnreachable("no"))[0], INPUTS)


def test_facts_of_the_host_are_an_output() -> None:
    found = context(Converged(True, {"owner": "a/b/c", "#": {"os": "rocky"}}))[0]
    host = TYPES["hypercompose:host:Host"]
    _, outputs = host.create(found, {**INPUTS, "owner": "a/b/c"})
    assert outputs == {"facts": {"os": "rocky"}}


def test_deleting_takes_the_step_back() -> None:
    found, hosts, _ = context(None)
    hostname().delete(found, "id", INPUTS)
    assert hosts.asked == ["revert h-hostname"]


class Call:
    """What a gRPC call would send back."""

    def __init__(self) -> None:
        self.metadata: Any = ()

    def set_trailing_metadata(self, metadata: Any) -> None:
        self.metadata = metadata

    def abort(self, code: grpc.StatusCode, text: str) -> None:
        raise RuntimeError(text)


def test_the_engine_keeps_what_failed_on_its_way_with_its_inputs() -> None:
    provider = Provider(TYPES, lambda urn, text: None)
    provider._context = context(StepFailed("10.0.0.1: step h-hostname: failed (exit code 1): no"))[0]
    call = Call()
    request = pb.CreateRequest(urn=URN, properties=values.write(INPUTS))
    with pytest.raises(RuntimeError, match="exit code 1"):
        provider.Create(request, call)
    ((name, details),) = call.metadata
    assert name == "grpc-status-details-bin"
    status = status_pb2.Status.FromString(details)
    failed = pb.ErrorResourceInitFailed()
    assert status.details[0].Unpack(failed)
    assert failed.id == "10.0.0.1:h-hostname"
    assert values.read(failed.properties) == values.read(failed.inputs) == INPUTS


def test_state_is_an_input_that_nobody_gives() -> None:
    provider = Provider(TYPES, lambda urn, text: None)
    provider._context = context(None)[0]
    answer = provider.Check(pb.CheckRequest(urn=URN, news=values.write(INPUTS)), Call())
    assert values.read(answer.inputs) == {**INPUTS, "state": "as wanted"}
