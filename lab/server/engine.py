"""Docker on the existing server, installed by its owner, with a container of hers."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import cast

import docker
import yaml
from docker.models.containers import Container

from lab.guests.containers import Containers
from lab.packages.build import VERSIONS
from lab.server.existing import Server
from lab.server.seed import FOLDER
from lab.services.running import SIGNING_KEY, packages_folder
from lab.services.store import PROBE, ensure_store
from lab.site import Site
from setup.report import SetupError, work

SET = "a"
"""Which versions: the older ones, as a server that is there already would have."""


def ensure_docker(site: Site, client: docker.DockerClient, server: Server) -> None:
    """Docker is on the server and the container runs; SetupError when the site has no packages."""
    container = Containers(site.lab, client, {}).require(server.vmid)
    if container.exec_run(["docker", "container", "inspect", "carol-web"]).exit_code == 0:
        return
    if not site.services.packages:
        raise SetupError(f"server {server.name}: the site file has no `docker:`, so there are no packages of it.")
    source = yaml.safe_load(site.file.read_text())["docker"]["apt"]
    served = packages_folder()
    versions = json.loads((served / VERSIONS).read_text())[SET]["deb"]
    with work(f"lab {site.lab.site}: Docker for server {server.name}"):
        _put(container, {"docker.asc": served / SIGNING_KEY, "image.tar": ensure_store(client) / PROBE})
        wanted = [f"{package}={version}" for package, version in versions.items()]
        script = (FOLDER / "docker").read_text()
        told = [source["url"], source["suite"], source.get("components", ["stable"])[0], *wanted]
        done = container.exec_run(["sh", "-c", script, "docker", *told])
    if done.exit_code:
        said = cast(bytes, done.output).decode(errors="replace").strip().splitlines()
        raise SetupError(f"server {server.name}: Docker was not installed: {' '.join(said[-3:])}")


def _put(container: Container, files: dict[str, Path]) -> None:
    """Copy files into the guest's /var/tmp."""
    for name, file in files.items():
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(file, name)
        container.put_archive("/var/tmp", packed.getvalue())  # noqa: S108 - the guest's own
