"""Service images in the engine's store, while they are on their way into the registry."""

from __future__ import annotations

import shutil
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import docker
from docker.errors import APIError, BuildError, DockerException

from lab.images.build import IMAGE_LABEL
from lab.services import recipe
from lab.services.recipe import FOLDER, key
from setup.places import CHECKOUT
from setup.report import SetupError, work


class Builder:
    """Builds images from fetched parts, without a network; `close` removes what it left in the engine."""

    def __init__(self, client: docker.DockerClient, parts: Path) -> None:
        """`parts` is what `lab.services.parts.fetch` filled."""
        self._client = client
        self._parts = parts
        self._made: dict[str, None] = {}
        self._key = key()  # once: somebody may edit a recipe meanwhile

    def build(self, name: str) -> str:
        """Tag of a new image. SetupError with the end of what its build said."""
        try:
            with work(f"service images: {name}"):
                return self._build(name)
        except BuildError as error:
            said = "".join(str(line.get("stream", "")) for line in error.build_log)
            raise SetupError(f"service images: {name}: {error.msg}\n{said[-1500:]}") from error
        except DockerException as error:
            raise SetupError(f"service images: {name}: the Docker Engine refused: {error}") from error

    def save(self, name: str, file: Path) -> None:
        """Write an image that was built as `docker save` does."""
        tag = self._tag(name)
        with file.open("wb") as opened:
            opened.writelines(self._client.images.get(tag).save(named=tag))

    def close(self) -> None:
        """Remove all tags of this build."""
        for tag in reversed(self._made):
            with suppress(APIError):
                self._client.images.remove(tag, force=True)

    def _build(self, name: str) -> str:
        context = self._parts / f"context-{name}"
        shutil.copytree(FOLDER / name, context)
        shutil.copy2(self._parts / "usr/bin/busybox", context)
        for folder in recipe.context(name):
            for file in recipe.sources(folder):
                target = context / file.relative_to(CHECKOUT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, target)
        (context / ".dockerignore").write_text("" if name == "probe" else "busybox\n")
        installed = self._install(name) if (FOLDER / name / "packages").exists() else "scratch"
        tag = self._tag(name)
        self._client.images.build(
            path=str(context),
            tag=tag,
            buildargs={"INSTALLED": installed},
            labels={IMAGE_LABEL: f"service-{name}"},
            network_mode="none",
            rm=True,
            forcerm=True,
        )
        return tag

    def _install(self, name: str) -> str:
        """The base tree with an image's packages: one layer, made in a container that sees the packages from here."""
        container = self._client.containers.create(
            self._base,
            ["sh", "/mnt/install"],
            environment={"DEBIAN_FRONTEND": "noninteractive"},
            labels={IMAGE_LABEL: f"service-{name}"},
            network_mode="none",
            volumes={
                str(self._parts / name): {"bind": "/media", "mode": "ro"},
                str(FOLDER / name): {"bind": "/mnt", "mode": "ro"},
            },
        )
        try:
            container.start()
            if code := container.wait()["StatusCode"]:
                said = container.logs(tail=15).decode(errors="replace")
                raise SetupError(f"service images: {name}: installing ended with {code}.\n{said}")
            tag = self._tag(f"{name}-installed")
            container.commit(*tag.split(":"), changes='CMD ["sh"]\nENV DEBIAN_FRONTEND=')
        finally:
            container.remove(force=True, v=True)
        return tag

    @cached_property
    def _base(self) -> str:
        """Tag of the layer that all images with packages share."""
        tag = self._tag("base")
        repository, _, version = tag.partition(":")
        changes, file = [f"LABEL {IMAGE_LABEL}=service-base"], str(self._parts / "base.tar")
        self._client.api.import_image_from_file(file, repository=repository, tag=version, changes=changes)
        return tag

    def _tag(self, name: str) -> str:
        """Tag of something this build makes, and notes that it does."""
        tag = f"hypercompose/service-{name}:{self._key}"
        self._made[tag] = None
        return tag
