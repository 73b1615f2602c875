"""Which services the site file declares, and where guests find them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from setup.places import CHECKOUT
from setup.report import SetupError

PACKAGES_PORT = 8081
REGISTRY_PORT = 5000
GIT_PORT = 3443
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services of one site; all of them listen at one address, which guests on every bridge reach."""

    address: str
    """Gateway of the site's first bridge."""
    domain: str
    packages: bool = False
    registry_user: str | None = None
    """Who may log in to the registry; None: the site has no registry."""
    git_user: str | None = None
    """Who may push to the git server; None: the site has no git server."""
    git_repository: str = "hypercompose/deployments"
    """Project and name of the repository that is there from the start."""
    image_lock: Path | None = None
    """Where the site reads digests of images; None: it names none by key."""
    image_base: str = ""
    """What the project's own images start from, and in `image_bases` by key those that start from another."""
    image_bases: Mapping[str, str] = field(default_factory=dict)
    external_images: Mapping[str, str] = field(default_factory=dict)
    """`repository:tag` by key, of images that others than the project make."""

    @property
    def packages_url(self) -> str:
        """Where the package server answers, by name."""
        return f"http://packages.{self.domain}:{PACKAGES_PORT}"

    @property
    def registry_host(self) -> str:
        """The registry as image names spell it: `registry.lab.internal:5000`."""
        return f"registry.{self.domain}:{REGISTRY_PORT}"

    @property
    def git_url(self) -> str:
        """Where the git server answers; a repository is at `<this>/<project>/<name>.git`."""
        return f"https://git.{self.domain}:{GIT_PORT}"

    @property
    def ports(self) -> dict[str, int]:
        """TCP port of each service that is declared, by the name it has in DNS."""
        known = {"packages": PACKAGES_PORT} if self.packages else {}
        known |= {"registry": REGISTRY_PORT} if self.registry_user else {}
        return known | ({"git": GIT_PORT} if self.git_user else {})

    @property
    def names(self) -> dict[str, str]:
        """Address of each service that is declared, by its name without the domain."""
        return dict.fromkeys(self.ports, self.address)

    @property
    def certificates(self) -> dict[str, tuple[str, ...]]:
        """Names in each certificate that the services need."""
        return {
            name: (f"{name}.{self.domain}", name, self.address) for name in ("registry", "git") if name in self.ports
        }


def declared(content: Mapping[str, Any], address: str, domain: str) -> Services:
    """Services of a site file's content; SetupError when it looks for them where the lab does not have them."""
    docker, registry, git, images = (content.get(name) or {} for name in ("docker", "registry", "git", "images"))
    found = Services(
        address=address,
        domain=domain,
        packages=bool(docker),
        registry_user=str(registry.get("user") or "lab") if registry else None,
        git_user=_plain("git/user", git.get("user") or "lab", "<name>") if git else None,
        git_repository=_plain("git/repository", git.get("repository") or Services.git_repository, "<project>/<name>"),
        image_lock=CHECKOUT / str(images.get("lock")) if images and registry else None,
        image_base=str(images.get("base", "")),
        image_bases={str(key): str(name) for key, name in (images.get("bases") or {}).items()},
        external_images={str(key): str(name) for key, name in (images.get("external") or {}).items()},
    )
    for setting, url, expected in _urls(content, found):
        if not f"{url}/".startswith(f"{expected}/"):
            raise SetupError(f"{setting}: expected {expected}, where the lab has it, found {url!r}.")
    return found


def _urls(content: Mapping[str, Any], found: Services) -> Iterator[tuple[str, str, str]]:
    """Each field with an address, what it says, and what it has to begin with."""
    docker = content.get("docker") or {}
    for family in ("dnf", "apt"):
        if family in docker:
            yield f"docker/{family}/url", str(docker[family].get("url")), found.packages_url
    for section, expected in (("registry", f"https://{found.registry_host}"), ("git", found.git_url)):
        if content.get(section):
            yield f"{section}/url", str(content[section].get("url")), expected


def _plain(field: str, value: Any, form: str) -> str:
    """The value as text fit for configuration files and paths; SetupError when it is not of the form."""
    text = str(value)
    if not re.fullmatch(re.sub("<[a-z]+>", lambda _: _NAME, form), text):
        raise SetupError(f"{field}: expected {form} of letters, digits, dots, dashes and underscores, found {text!r}.")
    return text
