"""The services of one lab: made ready by `lab up`, started by its supervisor, looked at by everybody."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import docker

from lab.processes import holder_of_port, listens
from lab.services.asked import asked_for
from lab.services.git import GitServer, Place
from lab.services.lighttpd import ensure_lighttpd
from lab.services.login import ensure_password, write_htpasswd
from lab.services.registry import Registry, guarded, settings
from lab.services.repositories import backend, ensure_repository
from lab.services.store import DIGESTS, PROGRAM, ensure_store, seed
from lab.site import Site
from setup.places import CHECKOUT
from setup.report import SetupError

SIGNING_KEY = "docker.asc"


def prepare(site: Site, client: docker.DockerClient, asked: Collection[str] = ()) -> None:
    """What takes long when it is new: packages, images (also `asked`, by key), and this lab's copies of them."""
    if site.services.packages:
        keys = site.directory / "packages"
        keys.mkdir(parents=True, exist_ok=True)
        shutil.copy(packages_folder() / SIGNING_KEY, keys / SIGNING_KEY)
    if site.services.registry_user:
        store = ensure_store(client)
        seed(store, _storage(site))
        if site.services.image_lock:
            _lock_images(site, client, store, site.services.image_lock, asked)
    if site.services.git_user:
        backend()
        ensure_lighttpd()
        ensure_repository(_repositories(site), site.services.git_repository)


def _lock_images(site: Site, client: docker.DockerClient, store: Path, lock: Path, asked: Collection[str]) -> None:
    """The project's own images are in the registry, and the site's lock says which they are."""
    from lab.services import own_images  # most labs need none of it
    from lab.services.bases import ensure_base

    own_images.refuse_unknown(asked)
    services = site.services
    known = {*asked, *asked_for(CHECKOUT), *own_images.locked_keys(lock, services.registry_host)}
    stores = []
    for group in own_images.groups(services.image_base, services.image_bases, known):
        stores.append(own_images.ensure_own(client, store / PROGRAM, group))
        seed(stores[-1], _storage(site))
        ensure_base(client, group.base)
    digests = json.loads((store / DIGESTS).read_text())
    own_images.write_site_lock(lock, services.registry_host, stores, digests, services.external_images)


def credentials(site: Site) -> dict[str, str]:
    """What programs of this machine need for the services, by variable: secrets, and an address."""
    told = {}
    if site.services.registry_user:
        told["HYPERCOMPOSE_REGISTRY_PASSWORD"] = ensure_password(_folder(site) / "password")
    if site.services.git_user:
        told["HYPERCOMPOSE_GIT_PASSWORD"] = ensure_password(_git_folder(site) / "password")
        # this machine asks another DNS than the guests do; git takes an address from its configuration
        place = site.services.git_url.removeprefix("https://")
        told |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.curloptResolve"}
        told["GIT_CONFIG_VALUE_0"] = f"{place}:{site.services.address}"
    return told


def packages_folder() -> Path:
    """What the package server serves."""
    from lab.packages.build import ensure_packages  # only here: most commands need no part of it

    return ensure_packages()


@contextmanager
def programs(site: Site, client: docker.DockerClient) -> Iterator[None]:
    """Registry and git server, where the site has them, for the length of a block."""
    with ExitStack() as stack:
        if site.services.registry_user:
            registry = Registry(_folder(site))
            stack.callback(registry.stop)
            _start_registry(site, registry, ensure_store(client) / PROGRAM, site.services.registry_user)
        if site.services.git_user:
            git = GitServer(_git_folder(site))
            stack.callback(git.stop)
            _start_git(site, git, site.services.git_user)
        yield


def _start_registry(site: Site, registry: Registry, program: Path, user: str) -> None:
    folder, address = _folder(site), f"{site.services.address}:{site.services.ports['registry']}"
    login = write_htpasswd(folder / "htpasswd", {user: ensure_password(folder / "password")})
    registry.start(program, guarded(settings(_storage(site), address), site.directory / "tls", login))


def _start_git(site: Site, server: GitServer, user: str) -> None:
    folder, reader = _git_folder(site), f"{user}-reader"
    passwords = {user: ensure_password(folder / "password"), reader: ensure_password(folder / "reader-password")}
    place = Place(
        host=site.services.address,
        port=site.services.ports["git"],
        repositories=_repositories(site),
        tls=site.directory / "tls",
        htpasswd=write_htpasswd(folder / "htpasswd", passwords),
        user=user,
        reader=reader,
    )
    server.start(place)


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
    for program in (Registry(_folder(site)), GitServer(_git_folder(site))):
        program.end_leftover()
    for name, port in site.services.ports.items():
        if holder := holder_of_port(port, site.services.address):
            raise SetupError(f"{name}: {holder} listens on port {port}, which the site needs; stop it.")


def rows(site: Site) -> Iterator[tuple[str, ...]]:
    """Lines of `lab status`."""
    places = {
        "packages": site.services.packages_url,
        "registry": f"https://{site.services.registry_host}",
        "git": site.services.git_url,
    }
    for name, port in site.services.ports.items():
        yield name, "answers" if listens(site.services.address, port) else "off", places[name]


def _folder(site: Site) -> Path:
    """Configuration, login and log of the registry."""
    return site.directory / "services"


def _git_folder(site: Site) -> Path:
    """Configuration, logins and log of the git server."""
    return site.directory / "services" / "git"


def _repositories(site: Site) -> Path:
    return site.directory / "git"


def _served(site: Site) -> Path:
    return site.directory / "packages" / "served"


def _storage(site: Site) -> Path:
    return site.directory / "registry"
