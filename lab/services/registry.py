"""Debian's docker-registry as a process: over TLS with a login on a site, bare on loopback while its store is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lab.services.program import Program


class Registry(Program):
    """One docker-registry."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds its configuration and log."""
        super().__init__("registry", folder / "registry.yml", "serve")

    def start(self, program: Path, settings: dict[str, Any]) -> None:
        """Start it and wait until it listens; SetupError with what it said when it does not."""
        self.launch([str(program)], yaml.safe_dump(settings, sort_keys=False), settings["http"]["addr"])


def settings(storage: Path, address: str) -> dict[str, Any]:
    """A registry without TLS or login."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
        "http": {"addr": address},
    }


def guarded(bare: dict[str, Any], tls: Path, htpasswd: Path) -> dict[str, Any]:
    """The same with the lab's certificate and login."""
    certificate = {"certificate": str(tls / "registry.crt"), "key": str(tls / "registry.key")}
    login = {"htpasswd": {"realm": "lab", "path": str(htpasswd)}}
    return {**bare, "http": {**bare["http"], "tls": certificate}, "auth": login}
