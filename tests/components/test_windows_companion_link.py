"""A link in the graph: the share first, then what its values speak of, then each service."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from components.host_steps import HostConnection
from components.hosts import Built
from components.links import build_links
from components.native import Password
from components.secrets import Secrets
from components.site_access import SiteAccess
from settings import load_site
from settings.link import Edit, Link, LinkedService, WindowsSsh
from settings.link_plan import EntryPlan, LinkPlan, Part, ServicePlan
from tests.components.recording import Recording, record

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfWnmh24J0xU/LwFTClsGQLZvVhCOs0+9+7bDqqyxVB"
PASSWORD, SECRET = "Canary-share", "Canary-secret"
FILE = "Billing/appsettings.json"


def entry(at: str, *parts: Part, file: str = FILE, keep: bool = False) -> EntryPlan:
    return EntryPlan(file=file, at=at, format="json", encoding="auto", parts=None if keep else parts)


URL = entry("/Url", Part("text", "http://"), Part("address"), Part("text", ":8080"))
LOGIN = entry("/Login", Part("text", "Password="), Part("secret", "db"))
KEPT = entry("/Kept", keep=True)


def services(*, containerised: bool) -> tuple[ServicePlan, ...]:
    billing = ServicePlan(
        name="billing",
        containerised=containerised,
        entries=(URL, LOGIN, KEPT),
        restarts=("CasinoBilling",),
        stacks=frozenset({"shop"}),
    )
    return (billing,)


def register(*, containerised: bool = True, ssh: bool = True) -> tuple[Recording, Any]:
    def run() -> Any:
        unused = LinkedService(edits=(Edit(file=FILE, at="/Url", value="x"),))
        settings = Link(
            host="srv",
            companion="10.0.0.21",
            user="svc",
            domain="CASINO",
            services={"billing": unused},
            ssh=WindowsSsh(host_key=f"{KEY} comment") if ssh else None,
        )
        plan = LinkPlan(name="app", settings=settings, services=services(containerised=containerised))
        secrets = Secrets(
            api_token=None,
            ssh_private_key=None,
            registry_password=None,
            link_passwords={"app": pulumi.Output.secret(PASSWORD)},
            links={"app": {"db": SECRET}},
        )
        site = SiteAccess("site", load_site("lab"), secrets)
        place = HostConnection(name="srv", host="10.0.0.9", user="ops", host_key=KEY, vm="1100", gone_with=site.claim)
        shop, docker = Password("shop", {}), Password("docker", {})
        program: Any = type("Program", (), {"site": load_site("lab"), "stack": "dev", "links": (plan,)})
        links = build_links(program, site, secrets, {"srv": place}, {"srv": Built(docker=None, done=[docker])})
        return links["app"].point({"shop": shop})

    return record(run)


@pytest.fixture(scope="module")
def linked() -> Recording:
    return register()[0]


def after(recording: Recording, name: str) -> set[str]:
    return {urn.rpartition("::")[2] for urn in recording.requests[name].dependencies}


def test_the_share_comes_after_the_host_and_each_service_after_share_and_stacks(linked: Recording) -> None:
    assert linked.types["srv-app-mount"] == "hypercompose:host:ShareMount"
    assert linked.types["srv-app-billing"] == "hypercompose:windows:ServiceConfig"
    assert "docker" in after(linked, "srv-app-mount")
    assert {"srv-app-mount", "shop"} <= after(linked, "srv-app-billing")
    for child in ("srv-app-mount", "srv-app-billing"):
        assert linked.requests[child].parent.endswith("hypercompose:windows:WindowsCompanionLink::app-link")


def test_what_was_changed_on_windows_is_given_back_although_the_vm_goes(linked: Recording) -> None:
    assert linked.requests["srv-app-mount"].deletedWith
    assert not linked.requests["srv-app-billing"].deletedWith


def test_values_are_whole_and_secrets_stand_apart(linked: Recording) -> None:
    inputs = linked.inputs["srv-app-billing"]
    assert inputs["values"] == {FILE: {"/Url": "http://10.0.0.9:8080"}}
    assert inputs["secretValues"]["value"] == {FILE: {"/Login": f"Password={SECRET}"}}
    assert inputs["entries"] == {
        FILE: {
            "/Url": {"format": "json", "encoding": "auto"},
            "/Login": {"format": "json", "encoding": "auto", "secret": True},
            "/Kept": {"format": "json", "encoding": "auto", "keep": True},
        }
    }
    assert (inputs["owner"], inputs["service"], inputs["servedBy"]) == ("lab/dev/app", "billing", "srv")
    assert inputs["link"] == {"share": "//10.0.0.21/M", "mount": "/mnt/m"}
    assert inputs["windowsHost"] == {"host": "10.0.0.21", "user": "Administrator", "port": 22, "hostKey": KEY}


def test_secrets_are_marked_on_the_wire(linked: Recording) -> None:
    for name, canary in (("srv-app-mount", PASSWORD), ("srv-app-billing", SECRET)):
        sent = linked.requests[name].object
        marked = str(sent).count(rpc._special_secret_sig)
        assert marked, name
        plain = {key: value for key, value in sent.fields.items() if rpc._special_secret_sig not in str(value)}
        assert canary not in str(plain)


def test_a_service_of_windows_asks_for_no_values() -> None:
    recording, told = register(containerised=False, ssh=False)
    inputs = recording.inputs["srv-app-billing"]
    assert (inputs["servedBy"], inputs["values"], inputs["secretValues"]) == ("windows", {}, {})
    assert "windowsHost" not in inputs
    assert told["services"] == {"billing": "windows"}


def test_the_outputs_tell_where_each_service_runs() -> None:
    assert register()[1] == {
        "host": "srv",
        "companion": "10.0.0.21",
        "share": "//10.0.0.21/M",
        "mount": "/mnt/m",
        "services": {"billing": "containers"},
    }
