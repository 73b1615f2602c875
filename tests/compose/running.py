"""A project of compose/ on the machine's own engine, rendered as the platform does, driven by Docker Compose."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import docker
import requests
import yaml
from docker.models.containers import Container

from lab import dockerd
from lab.identity import Lab
from lab.packages.build import ensure_packages
from lab.processes import free_port
from settings.project import Project
from tests.images.built import write_secret

DEADLINE_S = 20.0


class Running:
    """One project, up."""

    def __init__(
        self,
        engine: docker.DockerClient,
        lab: Lab,
        name: str,
        images: Mapping[str, str],
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Render it; images are local tags by key, `env` is what its variables are beside address and ports."""
        self.engine, self._lab, self._images = engine, lab, images
        self.name, self._env = f"{lab.site}-{name}", dict(env or {})
        self.secrets = lab.directory / "secrets"
        self.secrets.mkdir(mode=0o700)
        self.project = Project(name)
        self.ports = {port.variable: free_port() for port in self.project.declared.ports.values()}
        self.port = next(iter(self.ports.values()))
        self._file = lab.directory / "compose.yaml"
        self._file.write_text(self._rendered())
        self._program = compose_program(lab.directory / "compose")

    def up(self, timeout_s: float = 60) -> float:
        """Start it and wait until all is healthy; the seconds it took."""
        start = time.monotonic()
        self.compose("up", "--detach", "--wait", timeout_s=timeout_s)
        return time.monotonic() - start

    def compose(self, *arguments: str, timeout_s: float = 60) -> str:
        """What Docker Compose printed."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._lab.directory),
            "DOCKER_HOST": dockerd.address(),
            "SECRETS": str(self.secrets),
            **{name: "127.0.0.1" for name in self.project.declared.parameters if name.endswith("_ADDRESS")},
            **{variable: str(port) for variable, port in self.ports.items()},
            **self._env,
        }
        command = [*self._program, "--progress=quiet", f"--project-name={self.name}", f"--file={self._file}"]
        done = subprocess.run(
            [*command, *arguments], env=env, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        assert done.returncode == 0, f"{arguments}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def container(self, service: str) -> Container:
        """The one container of a service."""
        return self.engine.containers.get(f"{self.name}-{service}-1")

    def containers(self) -> dict[str, Container]:
        """By service, running or not."""
        found = self.engine.containers.list(all=True, filters={"label": f"com.docker.compose.project={self.name}"})
        return {one.labels["com.docker.compose.service"]: one for one in found}

    def logs(self) -> str:
        """Of all services."""
        return "\n".join(one.logs().decode(errors="replace") for one in self.containers().values())

    def call(self, path: str = "/", method: str = "GET", **more: Any) -> requests.Response:
        """A request of a visitor."""
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=10, **more)

    def secret(self, name: str, text: str) -> None:
        """Put a secret in place."""
        write_secret(self.secrets / name, text)

    def _rendered(self) -> str:
        """The platform's file; networks and volumes carry the test's labels, too, so that they never outlive it."""
        content = yaml.safe_load(self.project.rendered(self._images.__getitem__, self._lab.labels)["compose.yaml"])
        for part in ("networks", "volumes"):
            for name, entry in content.get(part, {}).items():
                content[part][name] = {**(entry or {}), "labels": self._lab.labels}
        return json.dumps(content)  # JSON is YAML


def until(holds: Callable[[], bool], what: str, timeout_s: float = DEADLINE_S) -> float:
    """Wait for something; the seconds it took."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() < start + timeout_s, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - start


def used_mib(container: Container) -> float:
    """Memory that its processes cannot do without."""
    stats: Any = container.stats(stream=False)
    memory = stats["memory_stats"]
    cached = memory["stats"].get("total_inactive_file", memory["stats"].get("inactive_file", 0))
    return float(memory["usage"] - cached) / 2**20


def compose_program(room: Path) -> list[str]:
    """Docker Compose of this machine, else the one that the lab's guests get."""
    if found := shutil.which("docker-compose"):
        return [found]
    if not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        return ["docker", "compose"]
    package = min(ensure_packages().glob("apt/docker/pool/*/docker-compose-plugin_*.deb"))
    subprocess.run(["dpkg-deb", "--extract", package, room], check=True)
    return [str(next(room.rglob("docker-compose")))]
