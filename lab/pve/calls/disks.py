"""Growing, moving and unlinking disks."""

from __future__ import annotations

import asyncio

from lab.pve.changes import delete_options, hot_plug, is_drive
from lab.pve.cluster import check_lock
from lab.pve.drives import Drive, drive, keep_unused
from lab.pve.errors import failure, invalid
from lab.pve.power import is_running
from lab.pve.properties import size_in_bytes, words
from lab.pve.routing import Call, needs, route
from lab.pve.sparse import copy_sparse
from lab.pve.state import Vm
from lab.pve.tasks import Log

_MAY = needs("/vms/{vmid}", "VM.Config.Disk")


@route("PUT", "/nodes/{node}/qemu/{vmid}/resize", _MAY)
async def resize(call: Call) -> object:
    """Grow a disk; a running guest sees it at once."""
    vm, slot = call.vm, call.params.text("disk")
    relative, size = size_in_bytes(call.params.text("size"))
    item = _disk(vm, slot, "resize")
    call.require(f"/storage/{item.storage}", "Datastore.AllocateSpace")

    async def work(log: Log) -> None:
        async with call.cluster.locks.hold(vm.vmid):
            check_lock(vm)
            volume = call.cluster.volumes.require(vm.node, item.file)
            grown = volume.size + size if relative else size
            if grown < volume.size:
                raise failure("shrinking disks is not supported")
            call.cluster.volumes.resize(volume, grown)
            vm.config[slot] = item.text(grown)
            await hot_plug(call.cluster, vm, [slot])

    return call.cluster.tasks.start(call.node, "resize", vm.vmid, call.user, work)


@route("POST", "/nodes/{node}/qemu/{vmid}/move_disk", _MAY)
async def move(call: Call) -> object:
    """Copy a disk to another storage; the original is removed, or stays as unused."""
    vm, slot, storage = call.vm, call.params.text("disk"), call.params.text("storage")
    item = _disk(vm, slot, "move")
    call.require(f"/storage/{storage}", "Datastore.AllocateSpace")
    if "images" not in call.cluster.volumes.storage(storage).content:
        raise invalid(storage=f"storage '{storage}' does not support vm images")
    if storage == item.storage and "format" not in call.params:
        raise failure("you can't move to the same storage with same format")
    if await is_running(call.cluster, vm):
        raise failure("storage migration failed: the lab moves disks of stopped VMs only")

    async def work(log: Log) -> None:
        async with call.cluster.locks.hold(vm.vmid):
            check_lock(vm)
            await _move(call, vm, item, storage)

    return call.cluster.tasks.start(call.node, "qmmove", vm.vmid, call.user, work)


async def _move(call: Call, vm: Vm, item: Drive, storage: str) -> None:
    volumes = call.cluster.volumes
    original = volumes.require(vm.node, item.file)
    made = volumes.allocate(vm.node, storage, vm.vmid, original.size, call.params.get("format"))
    made.guest_root = original.guest_root
    if not original.guest_root:
        await asyncio.to_thread(copy_sparse, volumes.backing_file(original), volumes.backing_file(made))
    vm.config[item.slot] = Drive(item.slot, made.volid, item.options).text(made.size)
    if call.params.flag("delete"):
        volumes.free(original)
    else:
        keep_unused(vm, original.volid)


@route("PUT", "/nodes/{node}/qemu/{vmid}/unlink", _MAY)
async def unlink(call: Call) -> object:
    """Take disks out; with `force` their volumes go too."""
    vm, slots = call.vm, words(call.params.text("idlist"))
    async with call.cluster.locks.hold(vm.vmid):
        check_lock(vm)
        delete_options(call.cluster, vm, slots, destroy=call.params.flag("force"))
        await hot_plug(call.cluster, vm, slots)
    return None


def _disk(vm: Vm, slot: str, act: str) -> Drive:
    if slot not in vm.config or not is_drive(slot):
        raise failure(f"disk '{slot}' does not exist")
    item = drive(slot, str(vm.config[slot]))
    if item.is_cdrom:
        raise failure(f"you can't {act} a cdrom")
    return item
