"""A companion as guests and this machine find it, mounted by a container guest and by a real kernel."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from lab.companion.disk import table
from lab.companion.place import Place, places
from lab.companion.samba import ADMINISTRATOR, USER
from lab.hypervisor import Machine
from tests.lab_guests.fleet import Fleet, nic, static_v1
from tests.lab_guests.sites import TestLab, make_lab, may_run_guests
from tests.lab_services.sections import SECTIONS

pytestmark = pytest.mark.lab

NET = "10.92"
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


@pytest.fixture(scope="module")
def companion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Companion]:
    if not may_run_guests():
        pytest.skip("guests need root")
    lab = make_lab(tmp_path_factory.mktemp("companion"), "labcompanion", NET, sections=SECTIONS)
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


@pytest.mark.parametrize(("guest", "install"), [(ROCKY, "dnf -q -y install"), (DEBIAN, "apt-get -q -y install")])
def test_guests_mount_the_share_once_cifs_utils_is_installed(companion: Companion, guest: str, install: str) -> None:
    assert companion.fleet.try_ssh(guest, "test -e /sbin/mount.cifs").returncode == 1
    companion.write(guest, "/etc/companion", companion.credentials())
    update = "sudo apt-get -q update && " if guest == DEBIAN else ""
    companion.fleet.ssh(guest, f"{update}sudo {install} cifs-utils")
    mounted = companion.mount(guest)
    assert mounted.returncode == 0, mounted.stderr
    assert "Casino Billing" in companion.fleet.ssh(guest, "cat /mnt/m/billing/AppSettings.json")
    assert companion.fleet.ssh(guest, "stat -c '%U %a' /mnt/m/Billing /mnt/m/Reports/.env") == "ops 750\nops 640"
    companion.fleet.ssh(guest, "sudo umount /mnt/m")
    assert companion.fleet.try_ssh(guest, "sleep 0.5; pgrep rclone").returncode == 1


def test_what_a_guest_writes_is_on_the_disk_when_it_is_closed(companion: Companion) -> None:
    program = (
        "import os; at = '/mnt/m/Gateway/gateway.conf'; "
        "made = os.open(at + '.new', os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600); "
        "os.write(made, b'listen\\r\\n'); os.fsync(made); os.close(made); os.replace(at + '.new', at)"
    )
    assert companion.mount(ROCKY).returncode == 0
    companion.fleet.ssh(ROCKY, f'sudo python3 -c "{program}"')
    folder = companion.place.files / "Gateway"
    assert (folder / "gateway.conf").read_bytes() == b"listen\r\n"
    assert not (folder / "gateway.conf.new").exists()
    (folder / "gateway.conf").write_bytes(b"by hand")
    assert companion.fleet.ssh(ROCKY, "cat /mnt/m/Gateway/gateway.conf") == "by hand"
    assert companion.fleet.try_ssh(ROCKY, "echo | sudo tee /mnt/m/Gateway/license.ini").returncode == 1
    companion.fleet.ssh(ROCKY, "sudo umount /mnt/m")
    companion.lab.command("companion", "app", "reset")
    assert b"upstream billing" in (folder / "gateway.conf").read_bytes()


def test_a_mount_that_is_refused_says_why_as_the_real_one(companion: Companion) -> None:
    companion.write(ROCKY, "/etc/wrong", companion.credentials().replace("password=", "password=x"))
    for share, credentials, said in (
        (SHARE, "/etc/wrong", "mount error(13): Permission denied"),
        (f"{SHARE}$", "/etc/companion", "mount error(13): Permission denied"),
        ("//app.test.internal/N", "/etc/companion", "mount error(2): No such file or directory"),
        (f"//{NET}.1.200/M", "/etc/companion", "mount error(113): could not connect to"),
    ):
        refused = companion.mount(ROCKY, share, f"credentials={credentials}")
        assert (refused.returncode, said in refused.stderr) == (32, True), refused.stderr


def test_units_mount_at_the_first_access_and_again_after_the_companion_was_off(companion: Companion) -> None:
    companion.write(ROCKY, "/etc/companion", companion.credentials(ADMINISTRATOR))
    unit = f"[Mount]\nWhat={SHARE}$\nWhere=/srv/m\nType=cifs\nOptions={OPTIONS},_netdev,nofail\nTimeoutSec=15\n"
    companion.write(ROCKY, "/etc/systemd/system/srv-m.mount", unit, "0644")
    automount = "[Automount]\nWhere=/srv/m\n[Install]\nWantedBy=multi-user.target\n"
    companion.write(ROCKY, "/etc/systemd/system/srv-m.automount", automount, "0644")
    companion.fleet.ssh(ROCKY, "sudo systemctl daemon-reload && sudo systemctl enable -q --now srv-m.automount")
    assert companion.fleet.try_ssh(ROCKY, "systemctl is-active -q srv-m.mount").returncode != 0
    assert "Billing" in companion.fleet.ssh(ROCKY, "sudo ls /srv/m")
    companion.lab.command("companion", "app", "stop")
    assert companion.fleet.try_ssh(ROCKY, "sudo timeout 20 ls /srv/m/Billing").returncode != 0
    companion.fleet.ssh(ROCKY, "sudo systemctl stop srv-m.mount")
    companion.lab.command("companion", "app", "start")
    assert "appsettings.json" in companion.fleet.ssh(ROCKY, "sudo ls /srv/m/Billing")
    assert companion.place.password(ADMINISTRATOR) not in companion.fleet.ssh(ROCKY, "sudo journalctl; ps -ef")
    companion.fleet.ssh(ROCKY, "sudo systemctl disable -q --now srv-m.automount srv-m.mount; ! mountpoint -q /srv/m")


def test_powershell_is_answered_for_what_is_known_and_all_calls_are_noted(companion: Companion) -> None:
    done = companion.powershell("Restart-Service -Name 'CasinoBilling' -Force -ErrorAction Stop")
    assert done.returncode == 0 and "stand-in" in done.stderr
    unknown = companion.powershell("Restart-Service -Name 'Nobody' -Force -ErrorAction Stop")
    assert unknown.returncode == 1 and "Cannot find any service with service name 'Nobody'" in unknown.stderr
    refused = companion.powershell("Remove-Item M:")
    assert refused.returncode == 1 and "unexpected command" in refused.stderr
    calls = companion.lab.command("companion", "app", "calls").stdout.splitlines()
    assert [json.loads(call)["exit"] for call in calls][-3:] == [0, 1, 1]


def test_a_real_kernel_mounts_the_share_signed(companion: Companion) -> None:
    guest = json.loads(companion.lab.command("qemu", "up").stdout)
    with Path(companion.fleet.known_hosts).open("a") as known:
        known.write(f"{guest['address']} {guest['host_key']}\n")
    assert guest["address"] == QEMU
    companion.write(QEMU, "/etc/companion", companion.credentials())
    mounted = companion.mount(QEMU)
    assert mounted.returncode == 0, mounted.stderr
    assert "cifs " in companion.fleet.ssh(QEMU, "findmnt -no FSTYPE,OPTIONS /mnt/m")
    assert "Dialect 0x311 signed" in companion.fleet.ssh(QEMU, "sudo cat /proc/fs/cifs/DebugData")
    companion.fleet.ssh(
        QEMU, "cd /mnt/m/Reports && echo X=1 | sudo tee new > /dev/null && sudo mv new .env && sync .env"
    )
    assert (companion.place.files / "Reports" / ".env").read_text() == "X=1\n"
    for path in table():
        here = (companion.place.files / path).stat().st_size
        assert companion.fleet.ssh(QEMU, f"stat -c %s {shlex.quote(f'/mnt/m/{path}')}") == str(here)
    companion.fleet.ssh(QEMU, "sudo umount /mnt/m")
    companion.lab.command("qemu", "down")


def test_what_is_off_leaves_nothing_and_comes_back_as_it_was(companion: Companion) -> None:
    companion.lab.command("companion", "app", "reset")
    (companion.place.files / "Floor" / "services.ini").write_bytes(b"changed")
    companion.lab.command("down")
    assert "companion app  off" in companion.lab.command("status").stdout
    companion.lab.command("up")
    assert (companion.place.files / "Floor" / "services.ini").read_bytes() == b"changed"
    assert companion.powershell("Remove-Item M:").returncode == 1
