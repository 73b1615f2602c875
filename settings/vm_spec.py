"""A VM with nothing left to decide."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Interface

from settings.stack import HostKeyMethod


@dataclass(frozen=True, kw_only=True)
class NicSpec:
    """One network device: `address` None means DHCP; the MAC is fixed by site, VM id and slot."""

    bridge: str
    vlan: int | None
    mac: str
    address: IPv4Interface | None
    gateway: str | None


@dataclass(frozen=True, kw_only=True)
class DataDiskSpec:
    """A data disk in its slot (`scsi1`, …)."""

    name: str
    slot: str
    size_gib: int
    filesystem: str
    mount: str
    storage: str


@dataclass(frozen=True, kw_only=True)
class VmSpec:
    """A VM with nothing left to decide. Memory in MiB, disks in GiB."""

    name: str
    vm_id: int
    data_vm_id: int | None
    node: str
    template_id: int
    full_clone: bool
    cores: int
    cpu_type: str
    memory_mib: int
    disk_gib: int
    storage: str
    nics: tuple[NicSpec, ...]
    dns: tuple[str, ...]
    domain: str
    tags: tuple[str, ...]
    on_boot: bool
    protection: bool
    data_disks: tuple[DataDiskSpec, ...]
    host_key: HostKeyMethod
    ready_timeout_s: int


def mac_address(site_id: str, vm_id: int, slot: int) -> str:
    """A stable MAC in Proxmox's own range (BC:24:11), so that the seed can name each NIC before it exists."""
    tail = hashlib.sha256(f"{site_id}/{vm_id}/net{slot}".encode()).digest()[:3]
    return "BC:24:11:" + ":".join(f"{byte:02X}" for byte in tail)
