"""The project's own images (images/), built once on this machine for every lab's registry, and each lab's lock."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound

from lab import dockerd
from lab.images.sources import guest_sources
from lab.machine import MMDEBSTRAP
from lab.processes import free_port
from lab.services.parts import OPTIONS
from lab.services.registry import Registry, settings
from provisioning.errors import ProvisioningError
from provisioning.images.build import Docker, keys_in, logged_in, source_hash
from provisioning.images.lock import Lock, Locked, LockError, load_lock, write_lock
from provisioning.images.registry import Registry as RegistryApi
from setup.cached import digest, made_once
from setup.machine import ensure
from setup.places import CHECKOUT
from setup.report import SetupError, work

FOLDER = CHECKOUT / "images"
SUITE = "bookworm"
BASE = f"hypercompose/base-{SUITE}:lab"
"""What the images start from here: Debian from this machine's own package sources, with apt ready to use."""
PREFIX = "hypercompose"
DIGESTS = "own.json"


def ensure_own(client: docker.DockerClient, program: Path) -> Path:
    """Folder with a registry's content and `own.json`: repository, digest and source by key."""
    key = digest([SUITE, *(source_hash(FOLDER / name, BASE) for name in keys_in(FOLDER))])
    return made_once("own-images", key, lambda folder: _fill(folder, client, program))


def ensure_base(client: docker.DockerClient) -> None:
    """The image that `make images` on a lab site builds upon."""
    try:
        client.images.get(BASE)
    except ImageNotFound:
        _import_base(client)


def write_site_lock(file: Path, registry: str, own: Path, digests: dict[str, str], external: dict[str, str]) -> None:
    """The lock of a lab's site: our own images, what it says others made, and what somebody has locked beside them."""
    images = {**_beside(file, registry), **_own(own)}
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


def _fill(folder: Path, client: docker.DockerClient, program: Path) -> None:
    ensure_base(client)
    address, keys = f"127.0.0.1:{free_port()}", keys_in(FOLDER)
    with tempfile.TemporaryDirectory(dir=folder) as room:
        registry = Registry(Path(room))
        try:
            registry.start(program, settings(folder, address))
            with logged_in(RegistryApi(host=address), dockerd.address()) as built, ThreadPoolExecutor(2) as pool:
                found = dict(zip(keys, pool.map(lambda key: _built(client, built, address, key), keys), strict=True))
        except ProvisioningError as error:
            raise SetupError(str(error)) from error
        finally:
            registry.stop()
    (folder / DIGESTS).write_text(json.dumps(found, indent=1) + "\n")


def _built(client: docker.DockerClient, program: Docker, address: str, key: str) -> dict[str, Any]:
    source, repository = source_hash(FOLDER / key, BASE), f"{PREFIX}/{key}"
    tag = f"hypercompose/image-{key}:{source}"
    with work(f"own images: {key}"):
        program.build(key, FOLDER / key, base=BASE, tag=tag)
        found = program.push(key, tag, f"{address}/{repository}:{source[:12]}")
    with suppress(APIError):  # a container of another lab may use it
        client.images.remove(tag)
    return {"repository": repository, "digest": found, "source": source}


def _import_base(client: docker.DockerClient) -> None:
    if os.geteuid() != 0:
        raise SetupError("own images: can only be built as root; run the same command with sudo.")
    with tempfile.TemporaryDirectory() as folder, work(f"own images: Debian {SUITE} to start from"):
        sources, tree = Path(folder) / "sources.list", Path(folder) / "base.tar"
        sources.write_text("\n".join(guest_sources(suite=SUITE)) + "\n")
        done = subprocess.run(
            [str(ensure(MMDEBSTRAP)), *OPTIONS, SUITE, str(tree), str(sources)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = "\n".join(done.stderr.strip().splitlines()[-12:])
            raise SetupError(f"own images: mmdebstrap failed; check the distribution's package sources.\n{said}")
        repository, _, tag = BASE.partition(":")
        client.api.import_image_from_file(str(tree), repository=repository, tag=tag)
