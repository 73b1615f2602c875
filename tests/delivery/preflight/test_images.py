"""The registry and its images: each way in which it may not be as needed, and what is still said then."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.preflight import images, names
from delivery.preflight.check import Check, Status
from delivery.preflight.images import check_images
from delivery.preflight.scope import Scope
from provisioning.images.registry import Registry
from provisioning.names import NameUnknown
from tests.delivery.preflight.scopes import GUESTBOOK, PORTAINER, VM, scope_of
from tests.images.registry_server import PASSWORD, USER, RegistryServer, serving

STACK: dict[str, Any] = {"vms": [VM], "docker": {}, "portainer": PORTAINER, "stacks": {"guestbook": GUESTBOOK}}
KEYS = ("portainer", "guestbook-api", "guestbook-web", "postgres")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryServer]:
    with serving(tmp_path) as server:
        server.login = "basic"
        digest = f"sha256:{'0f' * 32}"
        server.manifests = {f"hypercompose/{key}:{digest}": digest for key in KEYS} | {"lab/probe:1": digest}
        yield server


@pytest.fixture
def scope(lab_site: Path, registry: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scope:
    site = yaml.safe_load(lab_site.read_text())
    site["registry"] |= {"url": f"https://{registry.host}", "ca": registry.ca, "user": USER}
    lab_site.write_text(yaml.safe_dump(site))
    lock = Path(site["images"]["lock"])
    lock.write_text(lock.read_text().replace("registry.lab.internal:5000", registry.host))
    monkeypatch.setenv("HYPERCOMPOSE_REGISTRY_PASSWORD", PASSWORD)
    return scope_of(tmp_path, monkeypatch, **STACK)


def found(scope: Scope) -> dict[tuple[str, str], Check]:
    return {(check.name, check.subject.partition("@")[0]): check for check in check_images(scope)}


def test_everything_is_there(scope: Scope) -> None:
    checks = found(scope)
    assert {check.status for check in checks.values()} == {Status.PASSED}
    assert {subject for name, subject in checks if name == "image"} == {
        "lab/probe:1",
        *(f"hypercompose/{key}" for key in KEYS),
    }


@pytest.mark.usefixtures("scope")
def test_the_image_of_a_router_is_asked_for_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = {"domain": "shops.example.com", "sources": ["10.77.0.0/24"]}
    room = {"ports": "20000-20099", "sources": ["10.77.0.0/24"], "memory_mib": 512, "routes": routes}
    check = found(scope_of(tmp_path, monkeypatch, **STACK, hosting={"vm-a": room}))["image", "hypercompose/router"]
    assert check.status is Status.FAILED and "router on vm-a" in f"{check.detail} {check.remedy}"


def test_an_image_that_is_not_there_is_named_with_who_needs_it(scope: Scope, registry: RegistryServer) -> None:
    registry.manifests = {key: digest for key, digest in registry.manifests.items() if "postgres" not in key}
    checks = found(scope)
    check = checks["image", "hypercompose/postgres"]
    assert check.status is Status.FAILED
    assert check.detail == "the registry does not hold it (for stack guestbook)"
    assert "make images" in check.remedy
    assert sum(check.status is Status.FAILED for check in checks.values()) == 1


def test_a_wrong_password_is_named_and_images_are_not_checked(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCOMPOSE_REGISTRY_PASSWORD", "canary-$(reboot)")
    checks = found(scope)
    assert checks["registry", f"login of {USER}"].status is Status.FAILED
    assert "its password" in checks["registry", f"login of {USER}"].remedy
    assert {check.status for (name, _), check in checks.items() if name == "image"} == {Status.NOT_CHECKED}
    assert "canary" not in str(checks)


def test_a_missing_password_says_so(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYPERCOMPOSE_REGISTRY_PASSWORD")
    check = found(scope)["registry", f"login of {USER}"]
    assert check.status is Status.NOT_CHECKED
    assert "HYPERCOMPOSE_REGISTRY_PASSWORD" in check.remedy


def test_a_certificate_of_another_authority_is_named(
    scope: Scope, lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with serving(other):
        lab_site.write_text(lab_site.read_text().replace(f"{tmp_path}/ca.pem", f"{other}/ca.pem"))
        checks = found(scope_of(tmp_path, monkeypatch, **STACK))
    assert checks["registry", "its certificate"].status is Status.FAILED
    assert {check.status for (name, _), check in checks.items() if name == "image"} == {Status.NOT_CHECKED}


def test_nobody_there_is_named_within_the_time(
    scope: Scope, lab_site: Path, registry: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "TIMEOUT_S", (0.3, 0.3))
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections, says nothing
        host = f"127.0.0.1:{deaf.getsockname()[1]}"
        lab_site.write_text(lab_site.read_text().replace(registry.host, host))
        checks = found(scope_of(tmp_path, monkeypatch, **STACK))
    assert checks["registry", host].status is Status.FAILED
    assert checks["registry", host].remedy


def test_an_image_of_another_registry_is_not_checked(
    scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"inline": "services: {a: {image: 'docker.io/library/$(reboot):1'}}"}
    checks = found(scope_of(tmp_path, monkeypatch, **{**STACK, "stacks": {"own": own}}))
    check = checks["image", "docker.io/library/$(reboot):1"]
    assert check.status is Status.NOT_CHECKED
    assert "not of the site's registry (for stack own)" in check.detail


def test_a_registry_that_only_the_hosts_can_resolve_is_found_at_their_name_server(
    scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(name: str) -> list[str]:
        raise NameUnknown(name)

    monkeypatch.setattr(names, "resolved_here", unknown)
    monkeypatch.setattr(names, "resolved_at", lambda name, server: {"10.77.0.1": ["192.0.2.9"]}[server])
    assert names.address_of(scope, "registry.lab.internal") == "192.0.2.9"


def test_the_certificate_is_checked_for_the_name_not_the_address(registry: RegistryServer) -> None:
    port = registry.host.rpartition(":")[2]
    by_address = Registry(
        host=f"registry.invalid:{port}", ca=registry.ca, user=USER, password=PASSWORD, address="127.0.0.1"
    )
    with pytest.raises(Exception, match="not trusted"):
        by_address.knock()
    honest = Registry(host=registry.host, ca=registry.ca, user=USER, password=PASSWORD, address="127.0.0.1")
    assert honest.digest("lab/probe", "1")
