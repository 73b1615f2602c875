"""The project's own images on the machine's engine, and who owns what tests make there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from docker.errors import APIError, ImageNotFound
from docker.models.containers import Container

from lab import dockerd
from lab.identity import Lab
from lab.images.build import IMAGE_LABEL
from lab.leftovers import clear_abandoned, remove_objects
from lab.services.own_images import BASE, FOLDER, ensure_base
from provisioning.images.build import Docker, keys_in, source_hash
from setup.cached import locked
from setup.places import cache_home


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    """The machine's Docker Engine."""
    if os.geteuid() != 0:
        pytest.skip("the engine needs root")
    return dockerd.connect()


@pytest.fixture(scope="session")
def images(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Tag of each image; they stay on the engine until their source changes."""
    program = Docker(shutil.which("docker") or "docker", tmp_path_factory.mktemp("config"), dockerd.address())
    with locked(cache_home() / "test-images.lock", "test images: waiting for another test that builds them"):
        ensure_base(engine)
        with ThreadPoolExecutor(2) as pool:
            return dict(pool.map(lambda key: (key, _built(engine, program, key)), keys_in(FOLDER)))


@pytest.fixture(scope="module")
def room(
    engine: docker.DockerClient, images: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """Labels for what a module's tests make. All of it goes at the end; what a killed run left, goes at the start."""
    folder = tmp_path_factory.mktemp("room")
    clear_abandoned(engine)
    lab = Lab(f"images-{os.getpid()}", folder)
    holder = engine.containers.run(  # an engine without containers counts as idle, and another lab may end it
        images["postgres"], ["600"], entrypoint=["sleep"], detach=True, labels=lab.labels, network_mode="none"
    )
    try:
        yield lab
    finally:
        remove_objects(engine, lab)
        with suppress(APIError):
            holder.remove(force=True, v=True)


def log(container: Container) -> str:
    """What a container has written."""
    return str(container.logs().decode(errors="replace"))


def ran(container: Container, *command: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a command inside."""
    done = container.exec_run(list(command), environment=environment)
    assert isinstance(done.output, bytes) and done.exit_code is not None
    return done.exit_code, done.output.decode().strip()


def _built(engine: docker.DockerClient, program: Docker, key: str) -> str:
    repository = f"hypercompose/test-image-{key}"
    tag = f"{repository}:{source_hash(FOLDER / key, BASE)}"
    try:
        engine.images.get(tag)
    except ImageNotFound:
        program.build(key, FOLDER / key, base=BASE, tag=tag, labels=[f"{IMAGE_LABEL}=test-{key}"])
        for old in engine.images.list(repository):
            for name in set(old.tags) - {tag}:
                with suppress(APIError):
                    engine.images.remove(name)
    return tag


def write_secret(file: Path, text: str | bytes) -> None:
    """Put a secret in place as the platform does: a new file, readable in containers through its own mount only."""
    new = file.with_name(f".{file.name}")
    new.write_bytes(text.encode() if isinstance(text, str) else text)
    new.chmod(0o444)
    new.replace(file)
