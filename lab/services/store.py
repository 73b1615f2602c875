"""The registry's content as every lab starts with it: filled once on this machine, copied into each lab's folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import docker

from lab.processes import free_port
from lab.services.build import Builder
from lab.services.parts import fetch
from lab.services.recipe import key, names, reference
from lab.services.registry import Registry, settings
from setup.cached import made_once
from setup.report import SetupError, work

PROGRAM = "docker-registry"
DIGESTS = "images.json"
PROBE = "probe.tar"
CONTENT = "docker"
"""The folder that docker-registry makes below its root."""


def ensure_store(client: docker.DockerClient) -> Path:
    """Folder with `docker-registry`, its content, `images.json` (digest by name), and `probe.tar` to load by hand."""
    return made_once("registry", key(), lambda folder: _fill(folder, client))


def seed(store: Path, storage: Path) -> None:
    """Put the images of one store beside whatever the storage holds, unless they have been put there."""
    mark = storage / "seeded" / store.parent.name
    if mark.is_file() and mark.read_text() == store.name:
        return
    mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with work(f"registry: copying what the cache has ({store.parent.name})"):
        subprocess.run(["cp", "-a", "--reflink=auto", store / CONTENT, storage], check=True)
        if (store / DIGESTS).exists():
            shutil.copy(store / DIGESTS, storage)
    mark.write_text(store.name)


def _fill(folder: Path, client: docker.DockerClient) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as room:
        parts, registry = Path(room), Registry(Path(room))
        fetch(parts)
        shutil.copy2(parts / "usr/bin" / PROGRAM, folder / PROGRAM)
        address, builder = f"127.0.0.1:{free_port()}", Builder(client, parts)
        try:
            registry.start(folder / PROGRAM, settings(folder, address))
            digests = {reference(name): _push(client, builder.build(name), address, name) for name in names()}
            builder.save("probe", folder / PROBE)
        finally:
            builder.close()
            registry.stop()
    (folder / DIGESTS).write_text(json.dumps(digests, indent=1) + "\n")


def _push(client: docker.DockerClient, tag: str, address: str, name: str) -> str:
    """Push an image and return its digest."""
    there = f"{address}/{reference(name)}"
    client.images.get(tag).tag(there)
    try:
        lines: list[dict[str, Any]] = list(client.images.push(there, stream=True, decode=True))
    finally:
        client.images.remove(there)
    failures = [str(line["error"]) for line in lines if "error" in line]
    found = [str(line["aux"]["Digest"]) for line in lines if "aux" in line]
    if failures or not found:
        raise SetupError(f"service images: {name}: the registry refused: {' '.join(failures) or 'no digest came back'}")
    return found[0]
