"""Portainer and its stacks in the graph: what follows what, under which names, and which of it is secret."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.host_steps import HostConnection
from components.secrets import Secrets
from components.site_access import SiteAccess
from components.stacks import Applications
from settings import load_site
from settings.portainer import Secret, Stack
from settings.portainer_plan import PortainerPlan
from settings.stack_plan import StackPlan
from tests.components import recording
from tests.components.recording import Recording, record

DIGEST = f"sha256:{'a' * 64}"
PORTAINER = PortainerPlan(
    image=f"registry.example.com/portainer@{DIGEST}",
    port=9443,
    snapshot_interval="5m",
    authorities="PEM",
    labels={"hypercompose.env": "dev"},
    owner="hypercompose lab/dev/srv",
    accept=(),
    registry_host="registry.example.com",
    registry_kind="proget",
    registry_user="lab",
)
PLAN = StackPlan(
    name="shop",
    host="srv",
    files={"compose.yaml": "services: {}\n", "my_file.yaml": "x\n"},
    git=None,
    inline=None,
    env={"log_level": "info", "PORT": "8080"},
    secrets={"db_password": Secret(), "token": Secret(variable=True)},
    ports={"web": 8080},
    health={},
    settings=Stack.model_validate({"project": "guestbook"}),
    labels={},
)
OUTPUTS = {
    "hypercompose:host:PortainerServer": {"certificate": "CERT"},
    "hypercompose:portainer:Access": {"apiKey": "ptr_key", "version": "2.33.8"},
    "hypercompose:portainer:Environment": {"environmentId": 1},
    "hypercompose:secret:Password": {"value": "made-up"},
    "hypercompose:git:Publication": {"commit": "c0ffee"},
    "hypercompose:portainer:Stack": {"runningCommit": "c0ffee", "running": {"web": "x"}},
}


def register(monkeypatch: pytest.MonkeyPatch, plan: StackPlan = PLAN, *, vm: bool = False, **given: Any) -> Recording:
    monkeypatch.setattr(recording, "OUTPUTS", {**recording.OUTPUTS, **OUTPUTS})

    def run() -> Any:
        secrets = Secrets(
            api_token=None,
            ssh_private_key=None,
            registry_password=pulumi.Output.secret("registry-hunter2"),
            git_password=pulumi.Output.secret("git-hunter2"),
            **given,
        )
        lab = load_site("lab")
        site = SiteAccess("site", lab, secrets)
        docker: Any = SimpleNamespace(done=(site.claim,))
        place = HostConnection(
            name="srv", host="10.0.0.5", user="ops", host_key="ssh-ed25519 AAAA", ready=(site.claim,)
        )
        place = replace(place, vm="1100", gone_with=site.claim) if vm else place
        program: Any = SimpleNamespace(portainers={"srv": PORTAINER}, stacks=(plan,), site=lab, stack="dev")
        return Applications(program=program, site=site, secrets=secrets).on(place, docker)[1]

    return record(run)[0]


def follows(found: Recording, after: str, before: str) -> bool:
    return any(urn.endswith(f"::{before}") for urn in found.requests[after].dependencies)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Recording:
    return register(monkeypatch)


def test_each_thing_waits_for_what_it_needs(found: Recording) -> None:
    order = [
        ("srv-portainer-server", "site-claim"),
        ("srv-portainer-access", "srv-portainer-server"),
        ("srv-portainer-settings", "srv-portainer-access"),
        ("srv-portainer-environment", "srv-portainer-access"),
        ("srv-portainer-registry", "srv-portainer-access"),
        ("srv-shop-secrets", "srv-portainer-registry"),
        ("shop", "srv-shop-secrets"),
        ("shop", "srv-portainer-environment"),
        ("shop", "shop-files"),
    ]
    assert [pair for pair in order if not follows(found, *pair)] == []


def test_names_of_others_pass_as_they_are(found: Recording) -> None:
    assert set(found.inputs["shop-files"]["files"]) == {"compose.yaml", "my_file.yaml"}
    env = found.inputs["shop"]["env"]
    assert {"log_level", "PORT", "SECRETS", "token"} == set(env.get("value", env))
    assert found.inputs["shop"]["connection"]["host_key"] == "ssh-ed25519 AAAA"


def test_a_project_is_published_to_a_branch_of_its_own_and_that_commit_is_deployed(found: Recording) -> None:
    assert found.inputs["shop-files"]["ref"] == found.inputs["shop"]["ref"] == "refs/heads/dev/shop"
    assert found.inputs["shop"]["url"] == "https://git.lab.internal:3443/hypercompose/deployments.git"
    assert found.inputs["shop"]["commit"] == "c0ffee"
    assert found.inputs["shop"]["allowedPaths"] == ["/etc/hypercompose/stacks/shop/secrets"]


def test_secrets_are_made_up_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"shop-db_password", "srv-portainer-password"} <= set(register(monkeypatch).inputs)
    names = set(register(monkeypatch, stacks={"shop": {"db_password": "given"}}, portainer_password="p" * 12).inputs)
    assert not {"shop-db_password", "srv-portainer-password"} & names


def test_no_secret_is_in_the_clear(found: Recording) -> None:
    requests = {name: str(request.object) for name, request in found.requests.items()}
    for name, text in requests.items():
        for secret in ("registry-hunter2", "git-hunter2"):
            assert secret not in text or "1b47061264138c4ac30d75fd1eb44270" in text, name


def test_other_sources_publish_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    git = Stack.model_validate({"git": {"url": "https://git.example.com/a/b", "login": False}, "poll": "5m"})
    found = register(monkeypatch, replace(PLAN, files=None, git=git.git, settings=git))
    assert "shop-files" not in found.inputs
    assert (found.inputs["shop"]["ref"], found.inputs["shop"]["interval"]) == ("refs/heads/main", "5m")
    assert "password" not in found.inputs["shop"]
    inline = register(monkeypatch, replace(PLAN, files=None, inline="services: {}"))
    assert inline.inputs["shop"]["inline"] == "services: {}"
    assert "url" not in inline.inputs["shop"]


def test_on_a_vm_everything_knows_its_id_and_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = register(monkeypatch, vm=True)
    on_host = [
        name
        for name, kind in found.types.items()
        if ":portainer:" in kind and "Portainer" not in kind.rpartition(":")[2]
    ]
    assert {"shop", "srv-portainer-access", "srv-portainer-environment", "srv-portainer-registry"} <= set(on_host)
    for name in on_host:
        assert found.inputs[name]["vm"] == "1100"
        assert found.requests[name].deletedWith.endswith("::site-claim")
    assert not found.requests["shop-files"].deletedWith


def test_children_have_their_component_as_parent(found: Recording) -> None:
    assert found.requests["srv-portainer-access"].parent.endswith(":PortainerServer::srv-portainer")
    assert found.requests["shop-files"].parent.endswith(":PortainerStack::shop")
