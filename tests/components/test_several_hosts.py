"""Several hosts under one Portainer: certificates, firewalls, environments, and where stacks hang in the graph."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.hosts import HostAccess, build_host, existing_connection
from components.secrets import Secrets
from components.site_access import SiteAccess
from components.stacks import Applications, Ground
from settings import load_site
from settings.baseline import Baseline, Firewall
from settings.host import ExistingHost
from settings.host_plan import HostPlan
from settings.hosting import InstanceRoom
from settings.portainer import PortainerSettings
from settings.stack import StackSettings
from tests.components import recording as engine
from tests.components.recording import record
from tests.components.test_portainer import DOCKER, KEY, OUTPUTS, PORTAINER, TEXT, Run

SOURCES = (IPv4Network("10.0.0.0/8"),)
HOSTING = InstanceRoom(ports="20000-20999", sources=SOURCES, memory_mib=8192, networks=30)
MADE = {"certificate": "-----SIGNED-----", "key": "Canary-key"}
MORE = {"hypercompose:tls:Authority": MADE, "hypercompose:tls:Certificate": MADE}


def register(via: str = "tls", **portainer: Any) -> Run:
    """`srv` has Portainer; `far` is an environment of it, and runs TEXT."""

    def run() -> Any:
        given = Secrets(api_token=None, ssh_private_key=None, registry_password="x")
        site = SiteAccess("site", load_site("lab"), given)
        access = HostAccess(site=site, stack="dev", site_id="lab", user="ops", registry_password=None, private_key=None)
        hosts = [
            ExistingHost(name="srv", address="10.77.0.50", host_key=KEY),
            ExistingHost(name="far", address="10.77.0.51", host_key=KEY),
        ]
        stated = PortainerSettings.model_validate({"server": "srv", "via": via, "sources": SOURCES})
        baseline = Baseline(firewall=Firewall())
        plans = [
            HostPlan(name=h.name, existing=h, baseline=baseline, docker=DOCKER, portainer=stated, commands=())
            for h in hosts
        ]
        places = {host.name: existing_connection(host, access) for host in hosts}
        program: Any = SimpleNamespace(
            stack="dev",
            site=load_site("lab"),
            stacks=(replace(TEXT, host="far"),),
            portainers={"srv": replace(PORTAINER, **portainer)},
            settings=StackSettings(site="lab", hosting={"far": HOSTING}),
            routers={},
        )
        applications = Applications(program=program, site=site, secrets=given, places=places)
        grounds = []
        for plan in plans:
            docker = build_host(plan, places[plan.name], access, places.get(plan.served_by or "")).docker
            assert docker is not None
            grounds.append(Ground(host=plan, connection=places[plan.name], docker=docker))
        applications.on(grounds)
        keys: list[Any] = list(applications.hosting_keys.values())
        hidden = [pulumi.Output.from_input(key.is_secret()) for key in keys]
        return {"hosting": applications.hosting, "keys": applications.hosting_keys, "hidden": hidden}

    with pytest.MonkeyPatch.context() as patch:
        for kind, outputs in {**OUTPUTS, **MORE}.items():
            patch.setitem(engine.OUTPUTS, kind, outputs)
        return Run(*record(run))


@pytest.fixture(scope="module")
def tls() -> Run:
    return register()


def test_the_host_without_a_server_listens_with_its_own_certificate(tls: Run) -> None:
    found = tls.inputs("far-docker-listener")
    assert (found["address"], found["port"]) == ("10.77.0.51", 2376)
    assert (found["authority"], found["certificate"]) == (MADE["certificate"], MADE["certificate"])
    assert "srv-docker-listener" not in tls.recording.types
    assert tls.inputs("far-docker-api-server")["addresses"] == ["10.77.0.51"]
    assert tls.inputs("far-docker-api-client")["usage"] == "client"


def test_both_firewalls_let_in_the_portainer_host_alone(tls: Run) -> None:
    opening = {"ports": ["2376/tcp"], "sources": ["10.77.0.50/32"]}
    assert tls.inputs("far-docker-firewall")["published"]["docker-api"] == opening
    also_the_gate = {**opening, "ports": ["2376/tcp", "9444/tcp"]}
    assert tls.inputs("far-firewall")["open"]["docker-api"] == also_the_gate
    assert "docker-api" not in tls.inputs("srv-docker-firewall")["published"]
    assert "docker-api" not in tls.inputs("srv-firewall")["open"]


def test_docker_listens_after_its_port_is_closed_to_others(tls: Run) -> None:
    assert "far-docker-firewall" in tls.needs("far-docker-listener")


def test_the_other_host_is_an_environment_that_comes_after_its_docker(tls: Run) -> None:
    found = tls.inputs("srv-portainer-environment-far")
    assert (found["name"], found["remote"]["url"]) == ("far", "tcp://10.77.0.51:2376")
    assert "far-docker-listener" in tls.needs("srv-portainer-environment-far")
    assert "srv-portainer-access" in tls.needs("srv-portainer-environment-far")


def test_a_stack_is_a_child_of_the_server_whichever_host_it_runs_on(tls: Run) -> None:
    server, stack = "hypercompose:portainer:PortainerServer", "hypercompose:portainer:PortainerStack"
    assert tls.recording.requests[TEXT.name].parent.endswith(f"{server}${stack}::{TEXT.name}")
    assert tls.inputs(TEXT.name)["connection"]["host"] == "10.77.0.51"
    assert "srv-portainer-environment-far" in tls.needs(TEXT.name)


def test_an_agent_that_is_there_needs_no_certificates() -> None:
    found = register(via="agent")
    assert found.inputs("srv-portainer-environment-far")["remote"] == {"url": "tcp://10.77.0.51:9001", "agent": True}
    assert found.inputs("far-docker-firewall")["published"]["docker-api"]["ports"] == ["9001/tcp"]
    assert not [kind for kind in found.recording.types.values() if kind.startswith("hypercompose:tls:")]


def test_users_and_teams_are_given_the_registry_in_every_environment() -> None:
    found = register(registry_users=("rita",))
    for name in ("srv-portainer-registry-access", "srv-portainer-registry-access-far"):
        assert (found.inputs(name)["users"], found.inputs(name)["teams"]) == (["rita"], [])


def test_a_host_that_takes_instances_tells_what_they_may_have_and_hides_the_key_to_it(tls: Run) -> None:
    told = tls.outputs["hosting"]
    assert set(told) == {"far"}
    offer = told["far"]
    assert (offer["first_port"], offer["last_port"], offer["memory_mib"], offer["networks"]) == (20000, 20999, 8192, 30)
    assert (offer["address"], offer["portainer"], offer["is_open"]) == ("10.77.0.51", "https://10.77.0.50:9443", True)
    assert tls.outputs["keys"] == {"far": OUTPUTS["hypercompose:portainer:Access"]["apiKey"]}
    assert tls.outputs["hidden"] == [True]
