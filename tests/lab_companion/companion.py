"""A lab with its companion and guests of every kind, for all tests of this folder."""

from __future__ import annotations

import base64
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519

from lab.companion.place import Place, places
from lab.companion.samba import ADMINISTRATOR, USER
from lab.hypervisor import Machine
from tests.lab_guests.fleet import Fleet, nic, static_v1
from tests.lab_guests.sites import TestLab, make_lab
from tests.lab_services.sections import SECTIONS

NET = "10.86"
ROCKY, DEBIAN, QEMU = f"{NET}.1.11", f"{NET}.1.12", f"{NET}.1.45"
SHARE = "//app.test.internal/M"
OPTIONS = "credentials=/etc/companion,vers=3.1.1,sign,uid=ops,file_mode=0640,dir_mode=0750"


@dataclass(frozen=True)
class Companion:
    """A lab with its companion, and guests of both kinds that can mount its shares."""

    lab: TestLab
    fleet: Fleet
    place: Place

    def credentials(self, user: str = USER) -> str:
        """Content of a credentials file."""
        return f"username={user}\npassword={self.place.password(user)}\ndomain=CASINO\n"

    def write(self, guest: str, path: str, content: str, mode: str = "0600") -> None:
        """A file of root's in a guest."""
        told = shlex.quote(content)
        self.fleet.ssh(guest, f"printf %s {told} | sudo install -D -m {mode} /dev/stdin {path}")

    def mount(self, guest: str, share: str = SHARE, options: str = OPTIONS) -> subprocess.CompletedProcess[str]:
        """Mount a share by hand at /mnt/m."""
        return self.fleet.try_ssh(guest, f"sudo mkdir -p /mnt/m && sudo mount -t cifs -o {options} '{share}' /mnt/m")

    def powershell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Ask the companion's SSH server."""
        encoded = base64.b64encode(script.encode("utf-16-le")).decode()
        known = self.lab.site.directory / "companion_known_hosts"
        known.write_text(f"{self.place.address} {self.place.host_key}\n")
        fleet = Fleet(self.fleet.guests, self.fleet.user_key, known, self.fleet.host_key)
        return fleet.try_ssh(
            self.place.address, f"powershell -NoProfile -NonInteractive -EncodedCommand {encoded}", ADMINISTRATOR
        )


@contextmanager
def running(folder: Path) -> Iterator[Companion]:
    """One of them, for the length of a block."""
    lab = make_lab(folder, "labcompanion", NET, sections=SECTIONS)
    try:
        lab.command("up")
        yield Companion(lab, _with_guests(lab), places(lab.site)[0])
    finally:
        lab.command("purge")


def _with_guests(lab: TestLab) -> Fleet:
    folder = lab.site.directory
    host_key = ed25519.Ed25519PrivateKey.generate()
    fleet = Fleet(lab.guests(), folder / "ssh" / "id_ed25519", folder / "known_hosts", host_key)
    fleet.trust(ROCKY, DEBIAN)
    for vmid, address, image in ((101, ROCKY, "rocky-9"), (102, DEBIAN, "debian-13")):
        device = nic(vmid, 0, "red")
        seed = fleet.seed(image, static_v1({"eth0": (device, f"{address}/24", f"{NET}.1.1")}))
        fleet.boot(Machine(vmid=vmid, name=image, cores=2, memory_mib=512, nics=(device,), seed=seed), image)
        fleet.wait_for_ssh(address)
    return fleet
