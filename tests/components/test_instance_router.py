"""Names of instances in the graph: a router after Docker, a certificate for its domain, a route after its stack."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.docker_host import DockerHost
from components.hosts import HostAccess, build_host, existing_connection
from components.instance_router import InstanceRouter, InstanceRouterArgs
from components.portainer_server import Target
from components.product_instance import KINDS, ProductInstance, ProductInstanceArgs
from components.secrets import Secrets
from components.site_access import SiteAccess
from hosting.order import Order
from hosting.plan import instance_plan
from hosting.program import name_of
from provisioning.steps.kinds import BY_NAME
from settings import load_site
from settings.host import ExistingHost
from settings.host_plan import HostPlan
from settings.router_plan import RouterPlan
from tests.components import recording as engine
from tests.components.recording import record
from tests.components.test_portainer import DIGEST, DOCKER, KEY, OUTPUTS, Run, open_text
from tests.settings.conftest import lab_site

__all__ = ["lab_site"]
MADE = {"certificate": "-----BEGIN CERTIFICATE-----signed", "key": "Canary-key"}
PLAN = RouterPlan(
    image=f"r:5000/router@{DIGEST}",
    domain="shops.example.com",
    port=8443,
    http_port=0,
    certificate=None,
    labels={"hypercompose.env": "dev"},
)


def recorded(program: Any) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        for kind, outputs in OUTPUTS.items():
            patch.setitem(engine.OUTPUTS, kind, outputs)
        for kind in ("Authority", "Certificate"):
            patch.setitem(engine.OUTPUTS, f"hypercompose:tls:{kind}", MADE)
        return Run(*record(program))


def place() -> tuple[Any, SiteAccess, HostAccess, ExistingHost]:
    site = SiteAccess("site", load_site("lab"), Secrets(api_token=None, ssh_private_key=None, registry_password=None))
    access = HostAccess(site=site, stack="dev", site_id="lab", user="ops", registry_password=None, private_key=None)
    host = ExistingHost(name="srv", address="10.77.0.50", host_key=KEY)
    return existing_connection(host, access), site, access, host


def router(certificate: str | None = None, key: str | None = None) -> Run:
    def run() -> Any:
        connection, site, access, host = place()
        plan = HostPlan(name="srv", existing=host, baseline=None, docker=DOCKER, portainer=None, commands=())
        docker = build_host(plan, connection, access).docker
        assert isinstance(docker, DockerHost)
        given = RouterPlan(**{**vars(PLAN), "certificate": certificate})
        args = InstanceRouterArgs(connection=connection, site=site, docker=docker, plan=given, key=key)
        return {"authority": InstanceRouter("srv-router", args).authority}

    return recorded(run)


def instance(product: str = "odoo", **order: Any) -> Run:
    def run() -> Any:
        connection, site, _, _ = place()
        ports = {"web": 20000, "websocket": 20001} if product == "odoo" else {"web": 20000}
        told = Order(
            site="lab",
            environment="dev",
            host="srv",
            name="shop",
            product=product,
            version={"odoo": "14", "nginx": "1.22"}[product],
            size="small",
            tenant="acme",
            ports=ports,
            **order,
        )
        assert Order.from_json(told.to_json()) == told
        session = {"url": "https://p", "certificate": "c", "apiKey": "k", "data": "d"}
        arguments = ProductInstanceArgs(
            connection=connection,
            native=site.native,
            target=Target(session=session, environment_id=pulumi.Output.from_input(3), done=()),
            plan=instance_plan(told, load_site("lab")),
            environment="dev",
            owner=told.owner,
            named=name_of(told, 8443),
        )
        made = KINDS.get(product, ProductInstance)(told.compose_project, arguments)
        return {"urls": made.urls, "login": getattr(made, "login_url", None)}

    return recorded(run)


def arguments(run: Run, name: str) -> dict[str, Any]:
    return {key: value for key, value in run.inputs(name).items() if key not in ("connection", "step", "vm")}


def test_a_router_starts_when_docker_has_proven_itself_with_what_its_step_takes() -> None:
    run = router()
    assert "srv-docker-proof" in run.needs("srv-router")
    args = arguments(run, "srv-router")
    assert list(BY_NAME["Router"].problems(args)) == []
    assert (args["domain"], args["port"], args["http_port"]) == ("shops.example.com", 8443, 0)
    assert run.recording.requests["srv-router"].parent.endswith("hypercompose:hosting:InstanceRouter::srv-router")


def test_its_certificate_is_for_every_name_of_the_domain_and_the_authority_vouches_for_no_other() -> None:
    run = router()
    assert run.inputs("srv-router-authority")["domains"] == ["shops.example.com"]
    signed = run.inputs("srv-router-certificate")
    assert signed["addresses"] == ["*.shops.example.com", "shops.example.com"] and signed["usage"] == "server"
    assert run.outputs["authority"] == MADE["certificate"]


def test_a_certificate_that_is_given_is_taken_and_nobody_of_ours_vouches_for_it() -> None:
    run = router(certificate="-----BEGIN CERTIFICATE-----given", key="Canary-given")
    args = arguments(run, "srv-router")
    assert (args["certificate"], args["key"]) == ("-----BEGIN CERTIFICATE-----given", "Canary-given")
    assert not [kind for kind in run.recording.types.values() if kind.startswith("hypercompose:tls:")]
    assert run.outputs["authority"] is None
    assert "Canary" not in open_text(run.recording.inputs["srv-router"])


@pytest.mark.usefixtures("lab_site")
def test_a_name_leads_to_an_instance_that_is_well() -> None:
    run = instance(route="front.shops.example.com")
    args = arguments(run, "srv-route-i-shop")
    assert list(BY_NAME["Route"].problems(args)) == []
    assert args == {
        "route": "i-shop",
        "host": "front.shops.example.com",
        "address": "10.77.0.50",
        "port": 20000,
        "paths": {"/longpolling": 20001, "/websocket": 20001},
    }
    assert "i-shop" in run.needs("srv-route-i-shop")
    assert run.outputs["urls"]["web"] == "https://front.shops.example.com:8443"
    assert run.outputs["urls"]["websocket"] == "http://10.77.0.50:20001"
    assert run.outputs["login"] == "https://front.shops.example.com:8443/web/login"


@pytest.mark.usefixtures("lab_site")
@pytest.mark.parametrize(("route", "believes"), [("front.shops.example.com", "true"), (None, "false")])
def test_odoo_believes_a_proxy_only_where_there_is_one(route: str | None, believes: str) -> None:
    run = instance(route=route)
    assert run.inputs("i-shop")["env"]["ODOO_PROXY"] == believes
    assert ("srv-route-i-shop" in run.recording.types) is (route is not None)


@pytest.mark.usefixtures("lab_site")
def test_a_product_without_paths_has_all_of_its_name_lead_to_one_port() -> None:
    run = instance("nginx", route="x.shops.example.com")
    assert arguments(run, "srv-route-i-shop")["paths"] == {}
    assert run.outputs["urls"] == {"web": "https://x.shops.example.com:8443"}


@pytest.mark.usefixtures("lab_site")
def test_without_a_name_there_are_ports_alone() -> None:
    run = instance()
    assert run.outputs["urls"] == {"web": "http://10.77.0.50:20000", "websocket": "http://10.77.0.50:20001"}
