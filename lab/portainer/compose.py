"""Runs Docker Compose as a process of its own, as the real server does."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.portainer.store import Record


class ComposeFailed(Exception):
    """Compose ended with an error; the text is what it wrote to standard error."""


class Compose:
    """`docker-compose` where that is a program, else Docker's plugin."""

    def __init__(self, data: Path) -> None:
        """`data` is the server's folder: temporary files with registry passwords stay in it."""
        self._data = data

    async def run(
        self, arguments: list[str], *, folder: Path | None, registries: Iterable[Record] = (), tls: str = ""
    ) -> None:
        """Run it in a folder, logged in to registries, with the certificates of `tls`. ComposeFailed when it fails."""
        verified = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": tls} if tls else {}
        with self._logins(registries) as config:
            process = await asyncio.create_subprocess_exec(
                *program(),
                *arguments,
                cwd=folder,
                env=os.environ | {"DOCKER_CONFIG": str(config)} | verified,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                _, said = await process.communicate()
            except asyncio.CancelledError:
                process.terminate()
                raise
        if process.returncode:
            text = said.decode(errors="replace")
            raise ComposeFailed(text or f"docker compose command failed: exit status {process.returncode}")

    @contextmanager
    def _logins(self, registries: Iterable[Record]) -> Iterator[Path]:
        """A configuration of Docker's client for one run. (The real server runs `docker login --password ...`.)"""
        with tempfile.TemporaryDirectory(prefix="docker-config-", dir=self._data) as folder:
            file = Path(folder) / "config.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps({"auths": _auths(registries)}))
            yield Path(folder)


def program() -> list[str]:
    """How Compose is called here."""
    found = shutil.which("docker-compose")
    return [found] if found else ["docker", "compose"]


def _auths(registries: Iterable[Record]) -> dict[str, dict[str, str]]:
    """Logins by host, since that is what Docker looks them up by; of two for one host the later counts."""
    return {
        _host(registry["URL"]): {"auth": _basic(registry["Username"], registry["Password"])}
        for registry in registries
        if registry["Authentication"]
    }


def _host(url: str) -> str:
    return url.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()
