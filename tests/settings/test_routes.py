"""Names with TLS in the settings: ports open to those named, an image, a certificate of ours or a given one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioning.tls import Pair, make_authority, make_certificate
from settings import SettingsError
from settings.secrets import route_key_problems
from tests.settings.test_hosting import OFFER
from tests.settings.test_stacks import GUESTBOOK, program, refusal, server, site, write_lock

__all__ = ["site"]
ROUTES: dict[str, Any] = {"domain": "shops.example.com", "sources": ["10.0.0.0/8"]}
FIREWALL = {"firewall": {"open": {"router": {"ports": ["7/tcp"], "sources": ["10.9.0.0/16"]}}}}


@pytest.fixture(autouse=True)
def lock(site: Path, tmp_path: Path) -> Path:
    """With the router's image."""
    found = tmp_path / "images.lock.yaml"
    write_lock(found, "portainer", "guestbook-web", "guestbook-api", "postgres", "router")
    return found


def routed(**changes: Any) -> Any:
    return program(hosting={"srv-1": {**OFFER, "routes": {**ROUTES, **changes}}})


def refused(**changes: Any) -> str:
    with pytest.raises(SettingsError) as error:
        routed(**changes)
    return str(error.value)


def certified(domain: str = "*.shops.example.com") -> Pair:
    return make_certificate(make_authority("a"), "b", usage="server", addresses=[domain])


def test_a_domain_is_all_that_has_to_be_said() -> None:
    plan = routed().routers["srv-1"]
    assert (plan.domain, plan.port, plan.http_port, plan.certificate) == ("shops.example.com", 443, 80, None)
    assert plan.image.startswith("registry.lab.internal:5000/team/router@sha256:")
    assert plan.labels["hypercompose.product"] == "router"


def test_without_routes_there_is_no_router() -> None:
    found = program(hosting={"srv-1": OFFER})
    assert found.routers == {} and "router" not in found.hosts[0].docker.published


def test_its_ports_are_reached_from_the_sources_named_past_both_firewalls() -> None:
    opening = {"ports": ["443/tcp", "80/tcp"], "sources": ["10.0.0.0/8"]}
    found = program(baseline={"firewall": {}}, hosting={"srv-1": {**OFFER, "routes": ROUTES}}).hosts[0]
    assert found.docker.published["router"] == opening
    let_in = found.baseline.firewall.open["router"]
    assert (list(let_in.ports), list(map(str, let_in.sources))) == (opening["ports"], opening["sources"])
    assert "gate" in found.baseline.firewall.open


def test_an_opening_of_ones_own_with_that_name_stays() -> None:
    found = program(baseline=FIREWALL, hosting={"srv-1": {**OFFER, "routes": ROUTES}}).hosts[0]
    assert set(found.baseline.firewall.open) == {"router", "router_", "gate"}
    assert found.baseline.firewall.open["router"].ports == ("7/tcp",)


def test_without_http_there_is_one_port() -> None:
    found = routed(http_port="none")
    assert found.routers["srv-1"].http_port == 0
    assert found.hosts[0].docker.published["router"]["ports"] == ["443/tcp"]


@pytest.mark.parametrize(
    "domain",
    ["shops", "Shops.example.com", "shops.example.com.", "*.example.com", "a b.com", "$(reboot).com", "a;.com", "",
     "-a.com", "a..com", "ünï.com", "a.com\n", f"{'a' * 64}.com", ".".join(["abcdefgh"] * 22)],
)  # fmt: skip
def test_what_is_no_domain_is_refused_by_field(domain: str) -> None:
    assert "hosting.srv-1.routes.domain" in refused(domain=domain)


@pytest.mark.parametrize("changes", [{"port": 0}, {"http_port": "80;"}, {"http_port": 443}, {"sources": []}, {"x": 1}])
def test_wrong_values_are_refused_by_field(changes: dict[str, Any]) -> None:
    assert "hosting.srv-1.routes" in refused(**changes)


def test_ports_that_others_have_are_refused_with_who_has_them() -> None:
    assert "9443, expected ports that nothing else has; portainer has it on srv-1" in refused(port=9443)
    assert "9444, expected ports that nothing else has; the gate" in refused(http_port=9444)
    assert "20005, expected ports that nothing else has; the range for instances" in refused(port=20005)
    said = refusal(stacks={"shop": GUESTBOOK}, hosting={"srv-1": {**OFFER, "routes": {**ROUTES, "port": 8080}}})
    assert "shop (web) has it on srv-1" in said


def test_two_hosts_cannot_have_one_domain() -> None:
    both = {name: {**OFFER, "routes": ROUTES} for name in ("srv-1", "srv-2")}
    said = refusal(hosts=[server(), server(2)], hosting=both)
    assert 'hosting.srv-2.routes.domain: "shops.example.com", expected a domain for each host; srv-1 has it' in said


def test_an_image_that_is_not_locked_is_told_before_anything_is_made(lock: Path) -> None:
    write_lock(lock, "portainer")
    assert "hosting.srv-1.routes: " in refused() and "images.router: not there" in refused()


def test_a_certificate_that_is_given_has_to_be_for_all_names_of_the_domain(tmp_path: Path) -> None:
    file = tmp_path / "shops.pem"
    file.write_text(certified().certificate)
    assert routed(certificate=str(file)).routers["srv-1"].certificate == file.read_text()
    file.write_text(certified("www.shops.example.com").certificate)
    assert "it is for www.shops.example.com, expected one for *.shops.example.com" in refused(certificate=str(file))
    file.write_text("$(reboot)")
    assert "hosting.srv-1.routes: certificate: expected PEM" in refused(certificate=str(file))
    assert "cannot be read" in refused(certificate=str(tmp_path / "none.pem"))


def test_the_key_of_a_given_certificate_has_to_be_there_and_to_be_its_own() -> None:
    one, other = certified(), certified()
    asked = {"srv-1": one.certificate}
    assert list(route_key_problems(asked, {"srv-1": one.key})) == []
    assert "its key has no value; `pulumi config set --secret" in next(route_key_problems(asked, {}))
    for key in (other.key, "Canary $(reboot)", ""):
        said = next(route_key_problems(asked, {"srv-1": key}))
        assert said.startswith("route_keys.srv-1: not the private key") and "Canary" not in said
    assert "route_keys.srv-2: no such certificate" in next(route_key_problems({}, {"srv-2": one.key}))
