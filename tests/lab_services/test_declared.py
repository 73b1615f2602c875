"""What the site file says of its services."""

from __future__ import annotations

from typing import Any

import pytest

from lab.services.declared import declared
from setup.report import SetupError

DOCKER = {
    "dnf": {"url": "http://packages.lab.internal:8081/rpm/9/docker"},
    "apt": {"url": "http://packages.lab.internal:8081/apt"},
}
REGISTRY = {"url": "https://registry.lab.internal:5000", "user": "lab"}
GIT = {"url": "https://git.lab.internal:3443", "user": "deployer"}


def services(**content: Any) -> Any:
    return declared(content, "10.1.0.1", "lab.internal")


def test_a_site_without_the_sections_has_no_services() -> None:
    none = services()
    assert (none.ports, none.names, none.certificates) == ({}, {}, {})


def test_a_site_has_what_it_declares_at_the_first_gateway() -> None:
    assert services(docker=DOCKER).names == {"packages": "10.1.0.1"}
    assert services(registry=REGISTRY).names == {"registry": "10.1.0.1"}
    assert services(git=GIT).names == {"git": "10.1.0.1"}
    every = services(docker=DOCKER, registry=REGISTRY, git=GIT)
    assert every.ports == {"packages": 8081, "registry": 5000, "git": 3443}
    assert (every.registry_user, every.git_user) == ("lab", "deployer")


def test_certificates_are_for_a_services_names_and_its_address() -> None:
    names = {"registry": ("registry.lab.internal", "registry", "10.1.0.1")}
    assert services(registry=REGISTRY).certificates == names
    names["git"] = ("git.lab.internal", "git", "10.1.0.1")
    assert services(registry=REGISTRY, git=GIT).certificates == names


def test_the_first_repository_is_the_one_that_the_site_names() -> None:
    assert services(git=GIT).git_repository == "hypercompose/deployments"
    assert services(git={**GIT, "repository": "shop/sites.v2"}).git_repository == "shop/sites.v2"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"registry": {"url": "https://registry.lab.internal:5001"}},
            "registry/url: expected https://registry.lab.int",
        ),
        ({"registry": {"url": "http://registry.lab.internal:5000"}}, "registry/url: expected https://"),
        ({"git": {"url": "https://git.lab.internal:7990"}}, "git/url: expected https://git.lab.internal:3443"),
        ({"git": {**GIT, "user": "a|user=b"}}, "git/user: expected <name> of letters, .*, found 'a|user=b'"),
        ({"git": {**GIT, "repository": "../tls"}}, "git/repository: expected <project>/<name> of letters"),
        ({"git": {**GIT, "repository": "shop/sites\n"}}, "git/repository: expected <project>/<name> of letters"),
        ({"docker": {"apt": {"url": "http://packages.elsewhere:8081/apt"}}}, "docker/apt/url: expected http://pack"),
        ({"docker": {"dnf": {"url": "http://packages.lab.internal:80811/"}}}, "docker/dnf/url: expected http://pack"),
    ],
)
def test_services_that_would_be_looked_for_elsewhere_are_refused(content: dict[str, Any], message: str) -> None:
    with pytest.raises(SetupError, match=message):
        services(**content)
