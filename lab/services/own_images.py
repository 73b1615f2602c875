"""The project's own images (images/), built once on this machine for every lab's registry, and each lab's lock."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError

from lab import dockerd
from lab.processes import free_port
from lab.services.bases import ensure_base, suite_of
from lab.services.registry import Registry, settings
from provisioning.errors import ProvisioningError
from provisioning.images.build import Docker, keys_in, logged_in, source_hash
from provisioning.images.lock import Lock, Locked, LockError, load_lock, write_lock
from provisioning.images.registry import Registry as RegistryApi
from setup.cached import digest, made_once
from setup.places import CHECKOUT
from setup.report import SetupError, work

FOLDER = CHECKOUT / "images"
PREFIX = "hypercompose"
DIGESTS = "own.json"


@dataclass(frozen=True)
class Group:
    """Images that start from the same base; they are built, and kept on this machine, together."""

    base: str
    keys: tuple[str, ...]

    @property
    def part(self) -> str:
        """Its folder in the cache."""
        return f"own-images-{suite_of(self.base)}"

    @property
    def key(self) -> str:
        """Changes with anything that makes one of its images."""
        return digest([self.base, *(source_hash(FOLDER / key, self.base) for key in self.keys)])


def refuse_unknown(asked: Collection[str]) -> None:
    """SetupError for a key that is no image of the project."""
    for key in sorted(set(asked) - set(keys_in(FOLDER))):
        raise SetupError(f"own images: {key!r}, expected keys of images/: {', '.join(keys_in(FOLDER))}.")


def groups(base: str, bases: Mapping[str, str], asked: Collection[str]) -> list[Group]:
    """Those to have: the images of the site's base, and of others where one of them is asked for."""
    found: dict[str, list[str]] = {}
    for key in keys_in(FOLDER):
        found.setdefault(bases.get(key, base), []).append(key)
    return [Group(image, tuple(keys)) for image, keys in found.items() if image == base or set(keys) & set(asked)]


def ensure_own(client: docker.DockerClient, program: Path, group: Group) -> Path:
    """Folder with a registry's content and `own.json`: repository, digest and source by key."""
    return made_once(group.part, group.key, lambda folder: _fill(folder, client, program, group))


def locked_keys(file: Path, registry: str) -> set[str]:
    """What a lab's lock has of ours: whoever has used an image goes on having it."""
    return set(_beside(file, registry))


def write_site_lock(
    file: Path, registry: str, own: Sequence[Path], digests: Mapping[str, str], external: Mapping[str, str]
) -> None:
    """The lock of a lab's site: our own images, what it says others made, and what somebody has locked beside them."""
    images = _beside(file, registry)
    for store in own:
        images |= _own(store)
    for key, name in external.items():
        if name not in digests:
            raise SetupError(f"images/external/{key}: {name!r}, expected one the lab has: {', '.join(digests)}")
        repository, _, tag = name.rpartition(":")
        images[key] = Locked(repository=repository, tag=tag, digest=digests[name])
    write_lock(file, Lock(registry=registry, images=images))


def _own(own: Path) -> dict[str, Locked]:
    return {key: Locked(**entry) for key, entry in json.loads((own / DIGESTS).read_text()).items()}


def _beside(file: Path, registry: str) -> dict[str, Locked]:
    try:
        found = load_lock(file)
    except LockError:
        return {}
    return dict(found.images) if found.registry == registry else {}


def _fill(folder: Path, client: docker.DockerClient, program: Path, group: Group) -> None:
    ensure_base(client, group.base)
    address, keys = f"127.0.0.1:{free_port()}", group.keys
    with tempfile.TemporaryDirectory(dir=folder) as room:
        registry = Registry(Path(room))
        try:
            registry.start(program, settings(folder, address))
            with logged_in(RegistryApi(host=address), dockerd.address()) as built, ThreadPoolExecutor(2) as pool:
                found = dict(
                    zip(keys, pool.map(lambda key: _built(client, built, address, group.base, key), keys), strict=True)
                )
        except ProvisioningError as error:
            raise SetupError(str(error)) from error
        finally:
            registry.stop()
    (folder / DIGESTS).write_text(json.dumps(found, indent=1) + "\n")


def _built(client: docker.DockerClient, program: Docker, address: str, base: str, key: str) -> dict[str, Any]:
    source, repository = source_hash(FOLDER / key, base), f"{PREFIX}/{key}"
    tag = f"hypercompose/image-{key}:{source}"
    with work(f"own images: {key}"):
        program.build(key, FOLDER / key, base=base, tag=tag)
        found = program.push(key, tag, f"{address}/{repository}:{source[:12]}")
    with suppress(APIError):  # a container of another lab may use it
        client.images.remove(tag)
    return {"repository": repository, "digest": found, "source": source}
