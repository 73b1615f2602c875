"""A companion as guests and this machine find it, mounted by a container guest and by a real kernel."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from lab.companion.disk import table
from lab.companion.samba import ADMINISTRATOR
from provisioning.companion.windows import restart_line
from tests.lab_companion.companion import DEBIAN, NET, OPTIONS, QEMU, ROCKY, SHARE, Companion

pytestmark = pytest.mark.lab


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
    done = companion.powershell(restart_line("CasinoBilling"))
    assert done.returncode == 0 and "stand-in" in done.stderr
    unknown = companion.powershell(restart_line("Nobody"))
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
    paths = " ".join(shlex.quote(f"/mnt/m/{path}") for path in table())
    here = [str((companion.place.files / path).stat().st_size) for path in table()]
    assert companion.fleet.ssh(QEMU, f"stat -c %s {paths}").split() == here
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
