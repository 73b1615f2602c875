"""Deleting a VM."""

from __future__ import annotations

from lab.pve.cluster import check_lock
from lab.pve.copies import remove
from lab.pve.errors import failure, invalid
from lab.pve.permissions import ROOT
from lab.pve.power import is_running
from lab.pve.routing import Call, needs, route
from lab.pve.state import Vm
from lab.pve.tasks import Log


@route("DELETE", "/nodes/{node}/qemu/{vmid}", needs("/vms/{vmid}", "VM.Allocate"))
async def destroy(call: Call) -> object:
    """Remove VM, guest, and the volumes that carry its id. Volumes of other VMs attached to it stay."""
    vm, purge, skip_lock = call.vm, call.params.flag("purge"), call.params.flag("skiplock")
    if skip_lock and call.user != ROOT:
        raise invalid(skiplock="Only root may use this option.")
    await _check_removable(call, vm, purge=purge)
    unreferenced = call.params.flag("destroy-unreferenced-disks")

    async def work(log: Log) -> None:
        async with call.cluster.locks.hold(vm.vmid):
            if not skip_lock:
                check_lock(vm)
            await _check_removable(call, vm, purge=purge)
            for volid in await remove(call.cluster, vm, unreferenced=unreferenced):
                log(f"Could not remove disk '{volid}', check manually: volume is in use")
            if purge:
                call.cluster.state.objects.get("resources", {}).pop(f"vm:{vm.vmid}", None)

    return call.cluster.tasks.start(call.node, "qmdestroy", vm.vmid, call.user, work)


async def _check_removable(call: Call, vm: Vm, *, purge: bool) -> None:
    if vm.config.get("protection"):
        raise failure(f"can't remove VM {vm.vmid} - protection mode enabled")
    if f"vm:{vm.vmid}" in call.cluster.state.objects.get("resources", {}) and not purge:
        raise failure(f"unable to remove VM {vm.vmid} - used in HA resources and purge parameter not set.")
    if await is_running(call.cluster, vm):
        raise failure(f"VM {vm.vmid} is running - destroy failed")
    for volume in call.cluster.volumes.owned_by(vm.vmid):
        linked = (v for v in call.cluster.state.volumes.values() if v.name.startswith(f"{volume.name}/"))
        if any(linked):
            raise failure(f"base volume '{volume.volid}' is still in use by linked cloned")
