"""Debian's docker-registry as a process: over TLS with a login on a site, bare on loopback while its store is made."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from lab.processes import end, listens, process_with
from setup.report import SetupError

START_S = 20.0


class Registry:
    """One docker-registry, known by its configuration file; a leftover of a killed supervisor is replaced."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds its configuration and log."""
        self._config = folder / "registry.yml"
        self._log = folder / "registry.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, program: Path, settings: dict[str, Any]) -> None:
        """Start it and wait until it listens; SetupError with what it said when it does not."""
        self.end_leftover()
        self._config.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._config.write_text(yaml.safe_dump(settings, sort_keys=False))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(program), "serve", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath, "HOME": "/"},  # it takes settings from variables, too
            )
        host, _, port = settings["http"]["addr"].rpartition(":")
        deadline = time.monotonic() + START_S
        while not listens(host, int(port)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text(errors="replace").strip().splitlines()
                self.stop()
                raise SetupError(f"registry: did not start at {host}:{port}: {said[-1] if said else 'it said nothing'}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the process this object started."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:  # it lets uploads finish
                self._process.kill()
                self._process.wait()
            self._process = None

    def end_leftover(self) -> None:
        """End a registry of this folder whose supervisor died."""
        if (pid := self.running_pid()) is not None:
            end(pid, 2)

    def running_pid(self) -> int | None:
        """Process id of this folder's registry; None when it does not run."""
        return process_with("serve", str(self._config))


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
