"""A data disk on a host: found by its slot, formatted when blank, mounted by a unit of its own, grown in place."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioning.errors import ProvisioningError
from provisioning.host import Address, Result

if TYPE_CHECKING:
    from provisioning.ssh import Ssh

# Values arrive as positional arguments; nothing of them is ever part of the script.
_COMMON = """
device=$1 filesystem=$2 mount=$3 name=$4
unit=$(systemd-escape --path --suffix=mount "$mount")
file=/etc/systemd/system/$unit
"""

_ENSURE = (
    _COMMON
    + """
for _ in $(seq 50); do [ -b "$device" ] && break; sleep 0.2; done
[ -b "$device" ] || { echo "no disk at $device" >&2; exit 10; }
if blkid -p "$device" >/dev/null; then
  found=$(blkid -p -s TYPE -o value "$device") label=$(blkid -p -s LABEL -o value "$device")
  [ "$found" = "$filesystem" ] || { echo "$device holds ${found:-partitions}, not $filesystem" >&2; exit 11; }
  [ "$label" = "$name" ] || { echo "$device holds the disk '$label', not '$name'" >&2; exit 12; }
elif [ $? -eq 2 ]; then  # nothing at all on it
  mkfs -t "$filesystem" -q -L "$name" "$device"
else echo "$device cannot be read" >&2; exit 13; fi
mkdir -p "$mount"
new="[Unit]
Description=Data disk on $mount
Before=docker.service
Wants=systemd-growfs@${unit%.mount}.service

[Mount]
What=$device
Where=$mount
Type=$filesystem

[Install]
WantedBy=multi-user.target"
if [ "$new" != "$(cat "$file" 2>/dev/null)" ]; then
  printf '%s\\n' "$new" > "$file.new" && mv "$file.new" "$file"
  systemctl daemon-reload
fi
systemctl enable -q "$unit"
systemctl start "$unit"
case $filesystem in ext4) resize2fs "$device" >/dev/null;; xfs) xfs_growfs "$mount" >/dev/null;; esac
blockdev --getsize64 "$device"
"""
)

_OBSERVE = (
    _COMMON
    + """
if mountpoint -q "$mount"; then findmnt -n -o FSTYPE --target "$mount"; else echo unmounted; fi
"""
)

_UNMOUNT = (
    _COMMON
    + """
[ -e "$file" ] || exit 0
systemctl disable -q --now "$unit"
rm -f "$file"
systemctl daemon-reload
rmdir "$mount" 2>/dev/null || true
"""
)


@dataclass(frozen=True, kw_only=True)
class DataDisk:
    """A disk in a Proxmox slot (`scsi1`), its filesystem and where it is mounted."""

    name: str
    """Its label, which tells it from another disk in its slot. 12 characters at most, as xfs wants it."""
    slot: str
    filesystem: str
    mount: str

    @property
    def device(self) -> str:
        """The name under which QEMU's disk of that slot appears in the guest."""
        return f"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-{self.slot}"


def command(script: str, disk: DataDisk) -> str:
    """The command line that runs a script with the disk's values as arguments."""
    values = shlex.join([disk.device, disk.filesystem, disk.mount, disk.name])
    return f"sudo -n bash -euo pipefail -c {shlex.quote(script)} filesystem {values}"


def ensure(ssh: Ssh, host: Address, disk: DataDisk) -> int:
    """Bring the disk into use and return its size in bytes. Never formats a disk that holds anything."""
    done = _checked(ssh.run(host, command(_ENSURE, disk), timeout_s=300), host, disk, "put into use")
    return int(done.stdout.split()[-1])


def observe(ssh: Ssh, host: Address, disk: DataDisk) -> Mapping[str, Any]:
    """The properties that can drift: `filesystem` is `unmounted` when nothing is mounted there."""
    seen = _checked(ssh.run(host, command(_OBSERVE, disk)), host, disk, "looked at")
    return {"filesystem": seen.stdout.strip()}


def unmount(ssh: Ssh, host: Address, disk: DataDisk) -> None:
    """Take the disk out of use; what is on it stays."""
    _checked(ssh.run(host, command(_UNMOUNT, disk)), host, disk, "unmounted")


def _checked(result: Result, host: Address, disk: DataDisk, done: str) -> Result:
    if result.exit_code != 0:
        last = json.dumps(result.stderr.strip()[-300:])
        raise ProvisioningError(
            f"{host.host}: the data disk {disk.slot} at {disk.mount} could not be {done} "
            f"(exit code {result.exit_code}: {last})"
        )
    return result
