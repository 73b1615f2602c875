"""The provider's gRPC service over a scripted resource type."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from provider import values
from provider.configuration import Configuration
from provider.resource import UNREAD, Context, Properties, Resource
from provider.resources import TYPES
from provider.server import Provider
from provider.values import UNKNOWN
from provisioning.claim import Problem
from provisioning.errors import ProvisioningError

URN = "urn:pulumi:dev::hypercompose::hypercompose:compute:RockyAppVm$test:x:Thing::name"


class Thing(Resource):
    type = "test:x:Thing"
    replace_on = frozenset({"fixed"})
    secrets = frozenset({"made"})
    delete_before_replace = True

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        if news.get("size") == "wrong":
            yield Problem(property="size", reason="wrong, expected right")

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        if inputs.get("size") == "boom":
            raise ProvisioningError("host-1: it broke; mend it")
        return "id-1", {"made": "secret thing"}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        if state.get("away"):
            raise ProvisioningError("host-1: its host key is not the pinned one")
        return None if state.get("gone") else {**state, "size": "drifted"}


class Aborted(Exception):
    pass


class Call:
    def abort(self, code: grpc.StatusCode, text: str) -> None:
        raise Aborted(text)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("PROXMOX_VE_API_TOKEN", "root@pam!lab=x")
    served = Provider({"test:x:Thing": Thing()}, lambda urn, text: None)
    served.Configure(pb.ConfigureRequest(args=values.write({"endpoint": "https://127.0.0.1:1"})), Call())
    return served


def test_a_refusal_names_the_property(provider: Provider) -> None:
    answer = provider.Check(pb.CheckRequest(urn=URN, news=values.write({"size": "wrong"})), Call())
    assert [(f.property, f.reason) for f in answer.failures] == [("size", "wrong, expected right")]


def test_preview_makes_nothing_and_keeps_unknowns(provider: Provider) -> None:
    request = pb.CreateRequest(urn=URN, properties=values.write({"size": values.UNKNOWN}), preview=True)
    assert values.read(provider.Create(request, Call()).properties)["size"] is values.UNKNOWN


def test_created_state_keeps_marks_of_secret_inputs_and_marks_secret_outputs(provider: Provider) -> None:
    inputs = values.write({"token": "t0ken", "size": "right"}, secret={"token"})
    answer = provider.Create(pb.CreateRequest(urn=URN, properties=inputs), Call())
    assert answer.id == "id-1"
    assert {n for n, v in answer.properties.fields.items() if values.holds_secret(v)} == {"token", "made"}


def test_an_error_of_provisioning_reaches_the_engine_as_one_sentence(provider: Provider) -> None:
    request = pb.CreateRequest(urn=URN, properties=values.write({"size": "boom"}))
    with pytest.raises(Aborted, match=r"^host-1: it broke; mend it$"):
        provider.Create(request, Call())


def test_drift_comes_back_as_inputs_too_and_secrets_stay_secret(provider: Provider) -> None:
    state = values.write({"size": "right", "token": "t", "made": "m"}, secret={"token", "made"})
    inputs = values.write({"size": "right", "token": "t"}, secret={"token"})
    answer = provider.Read(pb.ReadRequest(urn=URN, id="id-1", properties=state, inputs=inputs), Call())
    assert values.read(answer.inputs) == {"size": "drifted", "token": "t"}
    assert {n for n, v in answer.properties.fields.items() if values.holds_secret(v)} == {"token", "made"}
    assert {n for n, v in answer.inputs.fields.items() if values.holds_secret(v)} == {"token"}


def test_what_is_gone_has_no_id(provider: Provider) -> None:
    request = pb.ReadRequest(urn=URN, id="id-1", properties=values.write({"gone": True}))
    assert provider.Read(request, Call()).id == ""


AWAY = pb.ReadRequest(
    urn=URN,
    id="id-1",
    properties=values.write({"away": True, "token": "t"}, secret={"token"}),
    inputs=values.write({"away": True}),
)


def test_what_cannot_be_read_is_a_hard_stop(provider: Provider) -> None:
    with pytest.raises(Aborted, match=r"^host-1: its host key is not the pinned one$"):
        provider.Read(AWAY, Call())


def drift_reporter(warn: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setenv("PROXMOX_VE_API_TOKEN", "root@pam!lab=x")
    served = Provider({"test:x:Thing": Thing()}, warn, reports_drift=True)
    served.Configure(pb.ConfigureRequest(args=values.write({"endpoint": "https://127.0.0.1:1"})), Call())
    return served


def test_for_a_drift_report_it_is_a_warning_at_its_resource_and_what_was_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warned: list[tuple[str, str]] = []
    answer = drift_reporter(lambda *words: warned.append(words), monkeypatch).Read(AWAY, Call())
    assert warned == [(URN, f"{UNREAD}host-1: its host key is not the pinned one")]
    assert (answer.id, answer.properties, answer.inputs) == ("id-1", AWAY.properties, AWAY.inputs)


def test_a_warning_that_nobody_hears_is_an_error_so_that_it_never_passes_for_clean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def deaf(urn: str, text: str) -> None:
        raise ProvisioningError(text)

    with pytest.raises(Aborted, match=UNREAD):
        drift_reporter(deaf, monkeypatch).Read(AWAY, Call())


@pytest.mark.parametrize(("new", "replaces"), [({"fixed": 2}, ["fixed"]), ({"fixed": 1, "size": "x"}, [])])
def test_only_a_fixed_property_replaces_and_then_deletes_first(
    provider: Provider, new: dict[str, Any], replaces: list[str]
) -> None:
    request = pb.DiffRequest(urn=URN, old_inputs=values.write({"fixed": 1}), news=values.write(new))
    answer = provider.Diff(request, Call())
    assert list(answer.replaces) == replaces
    assert answer.deleteBeforeReplace == bool(replaces)


@pytest.mark.parametrize(
    ("token", "found"), [("", "missing"), ("root", "not of the form user@realm!id=secret"), ("a@b!c=d", None)]
)
def test_the_token_is_checked_before_it_is_used(token: str, found: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROXMOX_VE_API_TOKEN", raising=False)
    reasons = [p.reason for p in Configuration.failures({"apiToken": token})]
    assert bool(reasons) == bool(found)
    assert not found or reasons[0].startswith(found)
    assert not token or all(token not in reason for reason in reasons)


def test_every_type_of_the_product_is_served_under_its_own_token() -> None:
    assert all(token == found.type and token.startswith("hypercompose:") for token, found in TYPES.items())


@pytest.mark.parametrize("name", sorted(TYPES))
def test_no_type_stumbles_over_inputs_that_are_unknown_while_a_vm_is_replaced(name: str) -> None:
    unknown: Any = UnknownInputs()
    TYPES[name].replaces(unknown, unknown)
    if name not in WITH_API:
        list(TYPES[name].check(Context(proxmox=None, load_ssh=nobody), "urn", {}, unknown))  # type: ignore[arg-type]


WITH_API = ("hypercompose:site:Claim",)


class UnknownInputs(dict[str, Any]):
    """Every input there could be, none of them known."""

    def __missing__(self, name: str) -> Any:
        return UNKNOWN

    def get(self, name: str, default: Any = None) -> Any:
        return UNKNOWN

    def values(self) -> Any:
        return [UNKNOWN]

    def items(self) -> Any:
        return [("any", UNKNOWN)]


def nobody() -> Any:
    raise AssertionError("no host is to be reached")
