"""What the Proxmox API needs from the machine below it: guests that are made, started, resized and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Nic:
    """One network device of a guest: `net0` is slot 0 and appears in the guest as `eth0`."""

    slot: int
    mac: str
    """Upper or lower case, `BC:24:11:00:00:01`."""
    bridge: str
    tag: int | None = None
    """VLAN id, or None for untagged. Each (bridge, tag) is a network of its own."""
    link_down: bool = False


@dataclass(frozen=True, kw_only=True)
class Disk:
    """One data disk of a guest; the root disk (the template's own) is not in this list."""

    slot: str
    """Proxmox's name of the slot, `scsi1`; the guest sees /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1."""
    file: Path
    """Backing file on this machine, sparse, exactly as long as the disk."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A VM's configuration as it is when the power comes on, or when a hot-plugged device changes."""

    vmid: int
    name: str
    cores: int
    memory_mib: int
    nics: Sequence[Nic] = ()
    disks: Sequence[Disk] = ()
    seed: Mapping[str, bytes] | None = None
    """Files of the NoCloud volume in a drive (`user-data`, `meta-data`, `network-config`); None: no such volume."""


@dataclass(frozen=True, kw_only=True)
class Interface:
    """A network interface as the guest agent reports it."""

    name: str
    mac: str
    addresses: Sequence[str] = field(default_factory=tuple)
    """CIDR notation, IPv4 and IPv6: `10.77.0.5/24`, `fe80::1/64`."""


class HypervisorError(Exception):
    """A guest could not be made, started, changed or deleted; the text says which and why."""


class Hypervisor(Protocol):
    """Runs guests. Every method blocks until done, may be called from several threads, and is safe to repeat."""

    def create(self, vmid: int, image: str) -> None:
        """Make a stopped guest with a fresh root disk from the template image `rocky-9` or `debian-13`."""

    def start(self, machine: Machine) -> None:
        """Bring the guest up as `machine` says. Returns once its init runs, not once it has booted."""

    def apply(self, machine: Machine) -> None:
        """Bring a running guest to `machine`: limits, disks and NICs plugged or unplugged, grown disks, no seed."""

    def shutdown(self, vmid: int, timeout_s: float) -> bool:
        """Ask the guest to power off; True once it has, False when it still runs after `timeout_s`."""

    def stop(self, vmid: int) -> None:
        """Pull the plug. The root disk stays."""

    def delete(self, vmid: int) -> None:
        """Remove the guest and its root disk; no error if there is none."""

    def running(self, vmid: int) -> bool:
        """Whether the guest runs now (False as well when it powered itself off, or there is none)."""

    def interfaces(self, vmid: int) -> Sequence[Interface] | None:
        """What the guest agent answers now; None while the agent is not up yet."""
