"""Clones: a new VM with the source's configuration and disks."""

from __future__ import annotations

import asyncio
import re
import uuid

from lab.pve.cluster import Cluster
from lab.pve.drives import Drive, drives
from lab.pve.properties import matching, new_mac, nic_options, render
from lab.pve.sparse import copy_sparse
from lab.pve.state import Value, Vm, Volume

_LEFT_BEHIND = r"template|lock|unused\d+|snaptime|parent"


async def copy(cluster: Cluster, source: Vm, target: Vm, *, full: bool, storage: str | None) -> dict[str, Value]:
    """Copy the disks, make the guest; answers the configuration the target will have."""
    config = {key: value for key, value in source.config.items() if not re.fullmatch(_LEFT_BEHIND, key)}
    for option in matching(config, r"net(\d+)"):
        config[option] = _with_new_mac(option, str(config[option]))
    for item in drives(source.config):
        config[item.slot] = await _copied_drive(cluster, target, item, full=full, storage=storage)
    if source.image is not None:
        await cluster.in_thread(cluster.hypervisor.create, target.vmid, source.image)
    return config | {"smbios1": f"uuid={uuid.uuid4()}", "vmgenid": str(uuid.uuid4())}


def _with_new_mac(option: str, text: str) -> str:
    nic = nic_options(option, text)
    nic.pop("macaddr", None)
    return render(f"{nic.pop('model')}={new_mac()}", nic)


async def _copied_drive(cluster: Cluster, target: Vm, item: Drive, *, full: bool, storage: str | None) -> str:
    volumes = cluster.volumes
    if item.is_cloudinit:
        made = volumes.allocate_cloudinit(target.node, storage or item.storage, target.vmid)
        return Drive(item.slot, made.volid, item.options).text()
    if item.is_cdrom:
        return item.text()
    original = volumes.require(target.node, item.file)
    made = volumes.allocate(target.node, storage or item.storage, target.vmid, original.size, original.format)
    made.guest_root = original.guest_root
    if not full:
        volumes.rename(made, f"{item.storage}:{original.name}/{made.name.rpartition('/')[2]}")
    if not original.guest_root:
        await asyncio.to_thread(_copy_bytes, cluster, original, made)
    return Drive(item.slot, made.volid, item.options).text(made.size)


def _copy_bytes(cluster: Cluster, original: Volume, made: Volume) -> None:
    copy_sparse(cluster.volumes.backing_file(original), cluster.volumes.backing_file(made))


async def remove(cluster: Cluster, vm: Vm, *, unreferenced: bool = True) -> list[str]:
    """Delete a VM, its guest and the volumes it owns; answers the ids of volumes that another running VM still uses."""
    if vm.image is not None:
        await cluster.in_thread(cluster.hypervisor.delete, vm.vmid)
    referenced = {str(text).partition(",")[0] for text in vm.wanted().values()}
    kept = []
    for volume in cluster.volumes.owned_by(vm.vmid):
        if _used_elsewhere(cluster, vm, volume.volid):
            kept.append(volume.volid)
        elif unreferenced or volume.volid in referenced:
            cluster.volumes.free(volume)
    cluster.state.vms.pop(vm.vmid, None)
    cluster.state.firewall_rules.pop(f"/vms/{vm.vmid}", None)
    cluster.state.firewall_options.pop(f"/vms/{vm.vmid}", None)
    for pool in cluster.state.pools.values():
        pool["vms"] = [member for member in pool["vms"] if member != vm.vmid]
    return kept


def _used_elsewhere(cluster: Cluster, vm: Vm, volid: str) -> bool:
    others = (other for other in cluster.state.vms.values() if other is not vm and other.on)
    return any(item.file == volid for other in others for item in drives(other.config))
