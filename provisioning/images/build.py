"""Builds images with the docker program and pushes them. Logins by standard input, into a folder of their own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provisioning.errors import ProvisioningError
from provisioning.images.registry import Registry

BUILD_S, PUSH_S = 1800, 900
_PUSHED = re.compile(r"digest: (sha256:[0-9a-f]{64})")


class BuildFailed(ProvisioningError):
    """An image could not be built or pushed; the text has its key and the last lines."""


def keys_in(folder: Path) -> list[str]:
    """The images of a folder: each has a folder of its own with a Dockerfile."""
    return sorted(file.parent.name for file in folder.glob("*/Dockerfile"))


def source_hash(folder: Path, base: str) -> str:
    """Of all that makes an image: its files with their modes, and what it starts from."""
    found = hashlib.sha256(f"{base}\n".encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(f"{path.relative_to(folder)} {path.stat().st_mode & 0o111:o} {path.stat().st_size}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()[:32]


@dataclass(frozen=True)
class Docker:
    """The docker program, logged in where `config` says."""

    program: str
    config: Path
    engine: str = ""
    """DOCKER_HOST; empty: docker's own choice."""

    def build(self, key: str, folder: Path, *, base: str, tag: str, labels: Sequence[str] = ()) -> None:
        """Build a folder as `tag`."""
        marks = [part for label in labels for part in ("--label", label)]
        options = ["--network", "host", "--build-arg", f"BASE={base}", *marks, "--tag", tag]
        self.run(key, ["build", "--quiet", *options, str(folder)], BUILD_S)

    def push(self, key: str, tag: str, there: str) -> str:
        """Push a tag as `registry/repository:tag`; its digest there."""
        self.run(key, ["tag", tag, there], 30)
        try:
            said = self.run(key, ["push", there], PUSH_S)
        finally:
            self.run(key, ["rmi", there], 60, check=False)
        found = _PUSHED.search(said)
        if not found:
            raise BuildFailed(f"images: {key}: the registry told no digest: {said.strip()[-200:]}")
        return found[1]

    def run(self, key: str, arguments: Sequence[str], timeout_s: float, *, stdin: str = "", check: bool = True) -> str:
        """What it printed. BuildFailed with the last lines."""
        env = {**os.environ, "DOCKER_CONFIG": str(self.config), "DOCKER_BUILDKIT": "0", "DOCKER_CLI_HINTS": "false"}
        env |= {"DOCKER_HOST": self.engine} if self.engine else {}
        try:
            done = subprocess.run(
                [self.program, *arguments],
                env=env,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BuildFailed(f"images: {key}: docker {arguments[0]} did not end within {timeout_s:.0f} s") from error
        if done.returncode and check:
            lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
            raise BuildFailed(f"images: {key}: docker {arguments[0]} failed: {' | '.join(lines)[-1500:]}")
        return done.stdout


@contextmanager
def logged_in(registry: Registry, engine: str = "") -> Iterator[Docker]:
    """The docker program with a login that ends with the block."""
    program = shutil.which("docker")
    if program is None:
        raise BuildFailed("images: docker is not installed on this machine, and images are built with it")
    with tempfile.TemporaryDirectory(prefix="hypercompose-docker-") as folder:
        docker = Docker(program, Path(folder), engine)
        if registry.user:
            login = ["login", "--username", registry.user, "--password-stdin", registry.host]
            docker.run("login", login, 60, stdin=registry.password)
        yield docker
