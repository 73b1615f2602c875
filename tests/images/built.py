"""The project's own images on the machine's engine, and who owns what tests make there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import docker
import pytest
import yaml
from docker.errors import APIError, ImageNotFound
from docker.models.containers import Container

from lab import dockerd
from lab.identity import Lab
from lab.images.build import IMAGE_LABEL
from lab.leftovers import clear_abandoned, remove_objects
from lab.services.bases import ensure_base
from lab.services.own_images import FOLDER
from provisioning.images.build import Docker, keys_in, source_hash
from setup.cached import locked
from setup.places import CHECKOUT, cache_home


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    """The machine's Docker Engine."""
    if os.geteuid() != 0:
        pytest.skip("the engine needs root")
    return dockerd.connect()


@pytest.fixture(scope="session")
def images(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Images:
    """Tag of each image; they stay on the engine until their source changes."""
    program = Docker(shutil.which("docker") or "docker", tmp_path_factory.mktemp("config"), dockerd.address())
    return Images(engine, program)


class Images(Mapping[str, str]):
    """Tags by key; an image is built when somebody asks for it."""

    def __init__(self, engine: docker.DockerClient, program: Docker) -> None:
        """Build none yet."""
        site = yaml.safe_load((CHECKOUT / "sites" / "lab.yaml").read_text())["images"]
        self._engine, self._program = engine, program
        self._bases = {key: str(site["bases"].get(key, site["base"])) for key in keys_in(FOLDER)}
        self._tags: dict[str, str] = {}

    def __getitem__(self, key: str) -> str:
        """Its tag."""
        if key not in self._tags:
            with locked(cache_home() / "test-images.lock", "test images: waiting for another test that builds them"):
                ensure_base(self._engine, self._bases[key])
                self._tags[key] = _built(self._engine, self._program, key, self._bases[key])
        return self._tags[key]

    def __iter__(self) -> Iterator[str]:
        """All keys, built or not."""
        return iter(self._bases)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._bases)


@pytest.fixture(scope="module")
def room(engine: docker.DockerClient, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
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


def _built(engine: docker.DockerClient, program: Docker, key: str, base: str) -> str:
    repository = f"hypercompose/test-image-{key}"
    tag = f"{repository}:{source_hash(FOLDER / key, base)}"
    try:
        engine.images.get(tag)
    except ImageNotFound:
        program.build(key, FOLDER / key, base=base, tag=tag, labels=[f"{IMAGE_LABEL}=test-{key}"])
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
