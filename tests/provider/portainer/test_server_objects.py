"""Access, settings and registries as resources, with the lab's stand-in behind them; no Docker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from urllib3.util import Retry

from lab.processes import free_port
from provider.resource import Context
from provider.resources.portainer import access as module
from provider.resources.portainer.access import Access
from provider.resources.portainer.environment import Environment
from provider.resources.portainer.registry import Registry
from provider.resources.portainer.settings import Settings
from provisioning.errors import ProvisioningError
from provisioning.portainer.access import key_is_valid, login, make_key
from provisioning.portainer.api import Place
from provisioning.portainer.objects import Remote
from tests.portainer.servers import running

PASSWORD = "adminpassword12"
ACCEPT = [{"version": "2.23.0", "reason": "the lab's", "until": "2999-12-31"}]
URN = "urn:pulumi:dev::hypercompose::hypercompose:portainer:Access::portainer"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("portainer")
    (folder / "password").write_text(PASSWORD)
    with running(folder, "--admin-password-file", str(folder / "password")) as server:
        yield Place(url=server.tls_url, certificate=(server.data / "certs" / "cert.pem").read_text())


@pytest.fixture
def inputs(place: Place, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Of an Access, with a key of each test's own."""
    where = {"url": place.url, "certificate": place.certificate}
    login = {"user": "admin", "password": PASSWORD, "description": request.node.name[:100]}
    return {"vm": "1100", **where, **login, "accept": ACCEPT}


@pytest.fixture(scope="module")
def server(place: Place) -> dict[str, str]:
    """The input `server` of everything else."""
    key = make_key(login(place, "admin", PASSWORD), PASSWORD, "of everything else")
    return {"url": place.url, "certificate": place.certificate, "apiKey": key}


@pytest.fixture
def warned() -> list[str]:
    return []


@pytest.fixture
def context(warned: list[str]) -> Context:
    return Context(proxmox=None, load_ssh=lambda: None, warn=lambda urn, text: warned.append(text))  # type: ignore[arg-type,return-value]


def away(found: dict[str, Any]) -> dict[str, Any]:
    """The same at a port where nobody listens."""
    url = f"https://127.0.0.1:{free_port()}"
    return {**found, "server": {**found["server"], "url": url}} if "server" in found else {**found, "url": url}


def test_access_gives_a_key_that_the_server_knows_and_warns_of_the_release(
    place: Place, inputs: dict[str, Any], context: Context, warned: list[str]
) -> None:
    identity, outputs = Access().create(context, inputs)
    assert identity == f"{place.url}/{inputs['description']}"
    assert key_is_valid(place, outputs["apiKey"])
    assert (outputs["version"], bool(outputs["instanceId"])) == ("2.23.0", True)
    assert "apiKey" in Access.secrets
    assert warned == ["Portainer 2.23.0 has known holes and is accepted until 2999-12-31: the lab's"]


def test_a_release_that_nobody_accepts_gets_no_login(inputs: dict[str, Any], context: Context) -> None:
    with pytest.raises(ProvisioningError, match=r"Portainer 2\.23\.0 is not accepted"):
        Access().create(context, {**inputs, "accept": [], "password": "wrong"})


def test_a_short_password_is_refused_before_anything_is_asked(inputs: dict[str, Any], context: Context) -> None:
    problems = list(Access().check(context, URN, {}, {**inputs, "password": "x" * 11}))
    assert [(problem.property, problem.reason) for problem in problems] == [
        ("password", "shorter than 12 characters; set a longer one")
    ]
    assert list(Access().check(context, URN, {}, inputs)) == []


def test_an_access_is_gone_with_its_key(inputs: dict[str, Any], context: Context) -> None:
    state = {**inputs, **Access().create(context, inputs)[1]}
    assert Access().read(context, URN, "id", state) == state
    Access().delete(context, "id", state)
    assert Access().read(context, URN, "id", state) is None
    Access().delete(context, "id", state)


def test_an_update_keeps_a_key_that_is_known_and_makes_one_for_a_key_that_is_not(
    place: Place, inputs: dict[str, Any], context: Context
) -> None:
    state = {**inputs, **Access().create(context, inputs)[1]}
    assert Access().update(context, state, inputs)["apiKey"] == state["apiKey"]
    made = Access().update(context, {**state, "apiKey": "ptr_unknown"}, inputs)["apiKey"]
    assert made not in (state["apiKey"], "ptr_unknown") and key_is_valid(place, made)


def test_another_password_is_set_with_the_old_one_and_the_key_stays_or_is_made(
    place: Place, inputs: dict[str, Any], context: Context
) -> None:
    login(place, "admin", PASSWORD).post("/users", {"Username": "dora", "Password": "first-password-1", "Role": 1})
    mine = {**inputs, "user": "dora", "password": "first-password-1"}
    state = {**mine, **Access().create(context, mine)[1]}
    made = Access().update(context, state, {**mine, "password": "second-password-2"})
    assert key_is_valid(place, made["apiKey"])


def test_a_server_that_is_away_is_a_warning_for_every_read(
    inputs: dict[str, Any], context: Context, warned: list[str], server: dict[str, str]
) -> None:
    state = away({**inputs, "apiKey": "ptr_1"})
    assert Access().read(context, URN, "id", state) == state
    for resource, found in (
        (Settings(), {"settings": {"LogoURL": ""}}),
        (Registry(), {"name": "own", "kind": "custom", "url": "x"}),
        (Environment(), {"name": "local"}),
    ):
        state = away({"server": server, **found})
        assert resource.read(context, URN, "id", state) == state
    assert len(warned) == 4
    assert all(text.startswith("not read, so nothing is known of it: ") for text in warned)


def test_a_key_that_is_not_known_any_more_is_a_warning_and_the_old_state(
    server: dict[str, str], context: Context, warned: list[str]
) -> None:
    state = {"server": {**server, "apiKey": "ptr_unknown"}, "settings": {"LogoURL": "x"}}
    assert Settings().read(context, URN, "id", state) == state
    assert "our API key is not known there any more; the next `up` makes another" in warned[0]


def test_a_key_at_a_server_that_is_away_is_left_with_a_warning(
    inputs: dict[str, Any], context: Context, warned: list[str]
) -> None:
    Access().delete(context, "id", away({**inputs, "apiKey": "ptr_1"}))
    assert warned[0].startswith("the API key was not revoked: ")


def test_waiting_for_a_server_ends(inputs: dict[str, Any], context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_S", 0.0)
    with pytest.raises(ProvisioningError, match=r"no answer .*; waited 0 s"):
        Access().create(context, away(inputs))


def test_settings_that_differ_are_set_and_what_others_set_is_drift(server: dict[str, str], context: Context) -> None:
    wanted = {"EnableTelemetry": True, "UserSessionTimeout": "4h", "OfAnotherRelease": 1}
    state = {"vm": "1100", "server": server, "settings": wanted}
    assert Settings().create(context, state) == (f"{server['url']}/settings", {})
    assert Settings().read(context, URN, "id", state) == state
    Settings().update(context, state, {**state, "settings": {"UserSessionTimeout": "5h"}})
    now = Settings().read(context, URN, "id", state)
    assert now is not None and now["settings"] == {**wanted, "UserSessionTimeout": "5h"}


def test_a_registry_is_made_changed_read_and_removed(server: dict[str, str], context: Context) -> None:
    given = {"name": "own", "kind": "custom", "url": "one.lab", "user": "u", "password": "p"}
    inputs = {"vm": "1100", "server": server, **given}
    identity, outputs = Registry().create(context, inputs)
    assert outputs == {"registryId": int(identity)}
    assert Registry().create(context, inputs)[0] == identity
    state = {**inputs, **outputs}
    assert Registry().read(context, URN, identity, state) == state
    assert Registry().update(context, state, {**inputs, "url": "two.lab", "user": "v"}) == outputs
    now = Registry().read(context, URN, identity, state)
    assert now is not None and (now["url"], now["user"], now["password"]) == ("two.lab", "v", "p")
    Registry().delete(context, identity, state)
    Registry().delete(context, identity, state)
    assert Registry().read(context, URN, identity, state) is None


def test_a_registry_is_checked_by_kind_and_address(context: Context) -> None:
    problems = list(Registry().check(context, URN, {}, {"name": "a", "kind": "quay", "url": "https://x.lab"}))
    assert [problem.property for problem in problems] == ["kind", "url"]
    assert "expected one of custom, proget" in problems[0].reason
    assert list(Registry().check(context, URN, {}, {"name": "a", "kind": "proget", "url": "x.lab/docker"})) == []


def test_an_environment_that_the_server_does_not_have_is_gone(server: dict[str, str], context: Context) -> None:
    state = {"server": server, "name": "nowhere", "environmentId": 99}
    assert Environment().read(context, URN, "99", state) is None
    Environment().delete(context, "99", state)


def test_another_generation_makes_another_key_and_revokes_the_old_one(
    place: Place, inputs: dict[str, Any], context: Context
) -> None:
    _, outputs = Access().create(context, inputs)
    later = Access().update(context, {**inputs, **outputs}, {**inputs, "keyGeneration": 2})
    assert later["apiKey"] != outputs["apiKey"]
    assert key_is_valid(place, later["apiKey"])
    assert not key_is_valid(place, outputs["apiKey"])
    same = Access().update(context, {**inputs, **later, "keyGeneration": 2}, {**inputs, "keyGeneration": 2})
    assert same["apiKey"] == later["apiKey"]


def test_another_host_is_asked_for_with_the_files_of_its_api() -> None:
    form = Remote(url="tcp://10.0.0.2:2376", authority="CA", certificate="CERT", key="KEY").form()
    assert form["EndpointCreationType"] == (None, "1")
    assert (form["URL"], form["TLS"]) == ((None, "tcp://10.0.0.2:2376"), (None, "true"))
    texts = {name: form[name][1] for name in ("TLSCACertFile", "TLSCertFile", "TLSKeyFile")}
    assert texts == {"TLSCACertFile": "CA", "TLSCertFile": "CERT", "TLSKeyFile": "KEY"}


def test_an_agent_is_asked_for_as_one() -> None:
    form = Remote(url="tcp://10.0.0.2:9001", is_agent=True).form()
    assert form["EndpointCreationType"] == (None, "2")
    assert form["TLSSkipVerify"] == form["TLSSkipClientVerify"] == (None, "true")
