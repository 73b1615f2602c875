"""Switching VMs on and off."""

from __future__ import annotations

import asyncio
import time

from lab.pve.changes import apply_pending
from lab.pve.cluster import Cluster, check_lock
from lab.pve.errors import failure
from lab.pve.machines import machine
from lab.pve.state import Vm


async def is_running(cluster: Cluster, vm: Vm) -> bool:
    """Whether the VM runs now. A guest that powered itself off leaves the VM off."""
    if vm.on and vm.image is not None and not await cluster.in_thread(cluster.hypervisor.running, vm.vmid):
        vm.on = False
    return vm.on


async def start(cluster: Cluster, vm: Vm) -> None:
    """Power on with all pending changes; the caller holds the VM's lock."""
    check_lock(vm)
    if await is_running(cluster, vm):
        raise failure(f"VM {vm.vmid} already running")
    apply_pending(cluster, vm)
    await _power_on(cluster, vm)


async def _power_on(cluster: Cluster, vm: Vm) -> None:
    wanted = await asyncio.to_thread(machine, cluster, vm)
    if vm.image is not None:
        await cluster.in_thread(cluster.hypervisor.start, wanted)
    vm.on, vm.started_at = True, time.time()


async def stop(cluster: Cluster, vm: Vm) -> None:
    """Pull the plug; nothing to do when it is off."""
    if vm.on and vm.image is not None:
        await cluster.in_thread(cluster.hypervisor.stop, vm.vmid)
    vm.on = False


async def shutdown(cluster: Cluster, vm: Vm, timeout_s: float, *, force: bool) -> None:
    """Ask the guest; after the timeout pull the plug, or fail."""
    if not await is_running(cluster, vm):
        return
    off = vm.image is not None and await cluster.in_thread(cluster.hypervisor.shutdown, vm.vmid, timeout_s)
    if not off and not force:
        raise failure("VM quit/powerdown failed - got timeout")
    await stop(cluster, vm)


async def reset(cluster: Cluster, vm: Vm) -> None:
    """The reset button: off and on without pending changes."""
    await stop(cluster, vm)
    await _power_on(cluster, vm)


def uptime_s(vm: Vm) -> int:
    """Seconds since the power came on."""
    return int(time.time() - vm.started_at) if vm.on else 0
