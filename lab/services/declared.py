"""Which services the site file declares, and where guests find them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from setup.report import SetupError

PACKAGES_PORT = 8081
REGISTRY_PORT = 5000


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services of one site; all of them listen at one address, which guests on every bridge reach."""

    address: str
    """Gateway of the site's first bridge."""
    domain: str
    packages: bool = False
    registry_user: str | None = None
    """Who may log in to the registry; None: the site has no registry."""

    @property
    def packages_url(self) -> str:
        """Where the package server answers, by name."""
        return f"http://packages.{self.domain}:{PACKAGES_PORT}"

    @property
    def registry_host(self) -> str:
        """The registry as image names spell it: `registry.lab.internal:5000`."""
        return f"registry.{self.domain}:{REGISTRY_PORT}"

    @property
    def ports(self) -> dict[str, int]:
        """TCP port of each service that is declared, by the name it has in DNS."""
        known = {"packages": PACKAGES_PORT} if self.packages else {}
        return known | ({"registry": REGISTRY_PORT} if self.registry_user else {})

    @property
    def names(self) -> dict[str, str]:
        """Address of each service that is declared, by its name without the domain."""
        return dict.fromkeys(self.ports, self.address)

    @property
    def certificates(self) -> dict[str, tuple[str, ...]]:
        """Names in each certificate that the services need."""
        return {"registry": (f"registry.{self.domain}", "registry", self.address)} if self.registry_user else {}


def declared(content: Mapping[str, Any], address: str, domain: str) -> Services:
    """Services of a site file's content; SetupError when it looks for them where the lab does not have them."""
    docker, registry = content.get("docker") or {}, content.get("registry") or {}
    found = Services(
        address=address,
        domain=domain,
        packages=bool(docker),
        registry_user=str(registry.get("user") or "lab") if registry else None,
    )
    for field, url, expected in _urls(docker, registry, found):
        if not f"{url}/".startswith(f"{expected}/"):
            raise SetupError(f"{field}: expected {expected}, where the lab has it, found {url!r}.")
    return found


def _urls(docker: Mapping[str, Any], registry: Mapping[str, Any], found: Services) -> Iterator[tuple[str, str, str]]:
    for family in ("dnf", "apt"):
        if family in docker:
            yield f"docker/{family}/url", str(docker[family].get("url")), found.packages_url
    if registry:
        yield "registry/url", str(registry.get("url")), f"https://{found.registry_host}"
