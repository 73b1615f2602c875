"""A program of the lab that is known by its configuration file; a leftover of a killed supervisor is replaced."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from lab.processes import end, listens, process_with
from setup.report import SetupError

START_S = 20.0


class Program:
    """One process that listens at one address, with its log beside its configuration."""

    def __init__(self, name: str, config: Path, option: str) -> None:
        """`option` is the word that stands before the configuration file in the command line."""
        self._name = name
        self._config = config
        self._option = option
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self, command: Sequence[str], configuration: str, address: str) -> None:
        """Start it and wait until it listens at `host:port`; SetupError with what it said when it does not."""
        self.end_leftover()
        self._config.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._config.write_text(configuration)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, self._option, str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                # Nothing of ours: docker-registry takes settings from variables, and OpenSSL the machine's own file.
                env={"PATH": os.defpath, "HOME": "/", "OPENSSL_CONF": os.devnull},
            )
        self._wait(self._process, address)

    def stop(self) -> None:
        """End the process this object started."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:  # some let uploads finish
                self._process.kill()
                self._process.wait()
            self._process = None

    def end_leftover(self) -> None:
        """End a process with this configuration whose supervisor died."""
        if (pid := self.running_pid()) is not None:
            end(pid, 2)

    def running_pid(self) -> int | None:
        """Process id of what runs with this configuration; None when nothing does."""
        return process_with(self._option, str(self._config))

    @property
    def _log(self) -> Path:
        return self._config.with_suffix(".log")

    def _wait(self, process: subprocess.Popen[bytes], address: str) -> None:
        """Until it listens."""
        host, _, port = address.rpartition(":")
        deadline = time.monotonic() + START_S
        while not listens(host, int(port)):
            if process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text(errors="replace").strip().splitlines()
                self.stop()
                raise SetupError(f"{self._name}: did not start at {address}: {said[-1] if said else 'it said nothing'}")
            time.sleep(0.02)
