"""The services of one lab: made ready by `lab up`, started by its supervisor, looked at by everybody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import docker

from lab.processes import holder_of_port, listens
from lab.services.login import ensure_password, write_htpasswd
from lab.services.registry import Registry, guarded, settings
from lab.services.store import PROGRAM, ensure_store, seed
from lab.site import Site
from setup.report import SetupError

SIGNING_KEY = "docker.asc"


def prepare(site: Site, client: docker.DockerClient) -> None:
    """What takes long when it is new: packages, images, and this lab's copies of them."""
    if site.services.packages:
        keys = site.directory / "packages"
        keys.mkdir(parents=True, exist_ok=True)
        shutil.copy(packages_folder() / SIGNING_KEY, keys / SIGNING_KEY)
    if site.services.registry_user:
        seed(ensure_store(client), _storage(site))


def credentials(site: Site) -> dict[str, str]:
    """Secrets of the services, by the variable that tells them to a program."""
    if not site.services.registry_user:
        return {}
    return {"HYPERCOMPOSE_REGISTRY_PASSWORD": ensure_password(_folder(site))}


def packages_folder() -> Path:
    """What the package server serves."""
    from lab.packages.build import ensure_packages  # only here: most commands need no part of it

    return ensure_packages()


def start_registry(site: Site, client: docker.DockerClient) -> Registry:
    """The lab's registry, started where the site has one."""
    registry = Registry(_folder(site))
    if site.services.registry_user:
        bare = settings(_storage(site), f"{site.services.address}:{site.services.ports['registry']}")
        login = write_htpasswd(_folder(site), site.services.registry_user)
        registry.start(ensure_store(client) / PROGRAM, guarded(bare, site.directory / "tls", login))
    return registry


def open_packages(site: Site) -> Path:
    """The folder to serve, noted as the one that is being served."""
    served = packages_folder()
    _served(site).write_text(str(served))
    return served


def answer(site: Site) -> bool:
    """Whether somebody listens wherever the site has a service, and the packages are those of today."""
    if site.services.packages and not (_served(site).exists() and _served(site).read_text() == str(packages_folder())):
        return False
    return all(listens(site.services.address, port) for port in site.services.ports.values())


def refuse_taken_ports(site: Site) -> None:
    """SetupError when another process has a port that a service needs; a leftover of ours is ended."""
    Registry(_folder(site)).end_leftover()
    for name, port in site.services.ports.items():
        if holder := holder_of_port(port, site.services.address):
            raise SetupError(f"{name}: {holder} listens on port {port}, which the site needs; stop it.")


def rows(site: Site) -> Iterator[tuple[str, ...]]:
    """Lines of `lab status`."""
    places = {"packages": site.services.packages_url, "registry": f"https://{site.services.registry_host}"}
    for name, port in site.services.ports.items():
        yield name, "answers" if listens(site.services.address, port) else "off", places[name]


def _folder(site: Site) -> Path:
    """Configuration, login and log of the registry."""
    return site.directory / "services"


def _served(site: Site) -> Path:
    return site.directory / "packages" / "served"


def _storage(site: Site) -> Path:
    return site.directory / "registry"
