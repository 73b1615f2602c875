"""A share that is a folder here; the host's program runs as it would there, but for the mount."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.companion.records import Selected
from provisioning.companion.service import Edit, Service
from provisioning.companion.share import Share
from provisioning.host import Address, Result

ADDRESS = Address(host="10.0.0.9", user="ops", host_key="ssh-ed25519 AAAA")
NAME = "//10.0.0.21/M"
JSON = b"""\xef\xbb\xbf{
  // where it is
  "Endpoints": {
    "Gateway": "http://10.0.0.21:5001",
    "Bank": "http://10.0.0.21:5002",
  },
}""".replace(b"\n", b"\r\n")
INI = "[Dienst]\r\nAdresse = 10.0.0.21 ; caf\u00e9\r\nPort=5001\r\n".encode("cp1252")
GATEWAY = Selected(file="Billing/appsettings.json", format="json", at="/Endpoints/Gateway")
BANK = Selected(file="Billing/appsettings.json", format="json", at="/Endpoints/Bank")
PORT = Selected(file="Floor/services.ini", format="ini", at="Dienst/Port", encoding="cp1252")


@dataclass
class FolderHosts:
    """Runs programs of the share on this machine. `before`: Python that is run before the request."""

    folder: Path
    source: str = NAME
    before: str = ""
    asked: int = 0
    said: Result | None = None

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        self.asked += 1
        if self.said is not None:
            return self.said
        head, _, body = program.partition("\n")
        assert head == "exec timeout -k 5 100 python3 -I -B -"
        body, call = body.rsplit("\n\nmain(", 1)
        quick = "PAUSES_S = (0.01, 0.01)"
        text = f"{body}\n_source = lambda mount: {self.source!r}\n{quick}\n{self.before}\nmain({call}"
        done = subprocess.run(
            [sys.executable, "-I", "-B", "-"], input=text.encode(), capture_output=True, check=False, timeout=30
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass
class World:
    """A share with a tree of files, and links to it."""

    folder: Path
    hosts: FolderHosts = field(init=False)
    restarted: list[str] = field(default_factory=list)
    clock: int = 0

    def __post_init__(self) -> None:
        self.hosts = FolderHosts(self.folder)
        self.write("Billing/appsettings.json", JSON)
        self.write("Floor/services.ini", INI)
        self.write("Floor/other.bin", bytes(range(256)))

    def write(self, path: str, content: bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def read(self, path: str = "Billing/appsettings.json") -> bytes:
        return (self.folder / path).read_bytes()

    def share(self) -> Share:
        return Share(hosts=self.hosts, address=ADDRESS, name=NAME, mount=str(self.folder))  # type: ignore[arg-type]

    def service(self, name: str = "billing", owner: str = "lab/dev/app", **more: Any) -> Service:
        self.clock += 1
        moment = f"2026-11-26T0000{self.clock:02}Z"
        return Service(
            share=self.share(), owner=owner, name=name, restart=self.restarted.extend, now=lambda: moment, **more
        )

    def tree(self) -> dict[str, bytes]:
        """Every file that is not of a link's own folder."""
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        found = {file.relative_to(self.folder).as_posix(): file.read_bytes() for file in files}
        return {path: content for path, content in found.items() if not path.startswith("hypercompose/")}

    def own(self) -> list[str]:
        """Files of ours."""
        found = sorted((self.folder / "hypercompose").rglob("*"))
        return [file.relative_to(self.folder).as_posix() for file in found if file.is_file()]


def to(selected: Selected, value: str | None) -> Edit:
    return Edit(selected=selected, value=value)
