"""Guest images in the engine's store: found by tag in milliseconds, built when their recipe is new."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping

import docker
from docker.errors import BuildError, DockerException, ImageNotFound

from lab.images.recipe import NAMES, context_files, image_tag, tree_tag
from lab.images.tree import root_tree
from setup.cached import locked
from setup.places import cache_home
from setup.report import SetupError, work

IMAGE_LABEL = "hypercompose.lab.image"
"""On every image of ours: a cache that all labs of this machine share, so it names no lab."""


def ensure_images(client: docker.DockerClient) -> dict[str, str]:
    """Tag of each template's image, by name; builds what is missing. SetupError when that fails."""
    tags = {name: image_tag(name) for name in NAMES}
    if not all(present(client, tag) for tag in tags.values()):
        cache_home().mkdir(parents=True, exist_ok=True)
        with locked(cache_home() / "guest-images.lock", "guest images: waiting for another lab that builds them"):
            _build_missing(client, tags)
    return tags


def _build_missing(client: docker.DockerClient, tags: Mapping[str, str]) -> None:
    try:
        if not present(client, tree_tag()):
            _import_tree(client)
        for name, tag in tags.items():
            if not present(client, tag):
                with work(f"guest images: {name}"):
                    _build(client, name, tag)
    except BuildError as error:
        said = "".join(str(line.get("stream", "")) for line in error.build_log)
        raise SetupError(f"guest images: {error.msg}\n{said[-1500:]}") from error
    except DockerException as error:
        raise SetupError(f"guest images: the Docker Engine refused: {error}") from error


def _import_tree(client: docker.DockerClient) -> None:
    tree = root_tree()
    repository, _, tag = tree_tag().partition(":")
    with work(f"guest images: importing the tree, {tree.stat().st_size >> 20} MiB"):
        label = f"LABEL {IMAGE_LABEL}=tree"
        client.api.import_image_from_file(str(tree), repository=repository, tag=tag, changes=[label])


def _build(client: docker.DockerClient, name: str, tag: str) -> None:
    with tempfile.TemporaryDirectory(prefix="guest-image-") as context:
        for file in context_files():
            shutil.copy(file, context)
        client.images.build(
            path=context,
            tag=tag,
            target=name,
            buildargs={"TREE": tree_tag()},
            labels={IMAGE_LABEL: name},
            network_mode="none",
            rm=True,
            forcerm=True,
        )


def present(client: docker.DockerClient, tag: str) -> bool:
    """Whether the engine has an image of that tag."""
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True
