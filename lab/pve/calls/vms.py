"""Lists of VMs, and VMs made without a template."""

from __future__ import annotations

from lab.pve.changes import delete_options, set_options
from lab.pve.config_access import check_options
from lab.pve.copies import remove
from lab.pve.errors import failure, invalid
from lab.pve.machines import cpus, memory_mib
from lab.pve.options import privilege
from lab.pve.params import Params
from lab.pve.power import is_running, start, uptime_s
from lab.pve.properties import UNITS
from lab.pve.recovery import new_identity
from lab.pve.routing import Call, route
from lab.pve.state import Record, Vm
from lab.pve.tasks import Log

_NOT_CONFIG = "vmid node pool start archive force storage unique bwlimit live-restore ha-managed import-working-storage"


@route("GET", "/nodes/{node}/qemu")
async def of_node(call: Call) -> object:
    """The node's VMs that the caller may see."""
    vms = [vm for vm in call.cluster.state.vms.values() if vm.node == call.node]
    return [await _listed(call, vm) for vm in vms if call.may(f"/vms/{vm.vmid}", "VM.Audit")]


async def _listed(call: Call, vm: Vm) -> Record:
    shown: Record = {
        "vmid": vm.vmid,
        "name": vm.config.get("name", f"VM {vm.vmid}"),
        "status": "running" if await is_running(call.cluster, vm) else "stopped",
        "tags": vm.config.get("tags", ""),
        "cpus": cpus(vm.config),
        "maxmem": memory_mib(vm.config) * UNITS["M"],
        "maxdisk": 0,
        "uptime": uptime_s(vm),
    }
    return (
        shown
        | ({"template": 1} if vm.is_template else {})
        | ({"lock": lock} if (lock := vm.config.get("lock")) else {})
    )


@route("POST", "/nodes/{node}/qemu")
async def create(call: Call) -> object:
    """A VM with the disks its options ask for, and no guest: it holds disks, or boots from nothing."""
    vmid, pool = call.params.number("vmid", minimum=100), call.params.get("pool")
    if not (pool and call.may(f"/pool/{pool}", "VM.Allocate")):
        call.require(f"/vms/{vmid}", "VM.Allocate")
    check_id_is_free(call, vmid)
    vm = Vm(vmid=vmid, node=call.node, config={"lock": "create"})
    config = Params({name: text for name, text in call.params.items() if name not in _NOT_CONFIG.split()})
    for option in config:
        privilege(option)
    check_options(call, vm, config, [])
    call.cluster.state.vms[vmid] = vm
    join_pool(call, vmid, pool)
    begin = call.params.flag("start")

    async def work(log: Log) -> None:
        async with call.cluster.locks.hold(vmid):
            set_options(call.cluster, vm, config)
            delete_options(call.cluster, vm, ["lock"])
            vm.config = new_identity() | vm.config
            if begin:
                await start(call.cluster, vm)

    async def undo(log: Log) -> None:
        await remove(call.cluster, vm)

    return call.cluster.tasks.start(call.node, "qmcreate", vmid, call.user, work, undo)


def check_id_is_free(call: Call, vmid: int) -> None:
    """500 that names the node the VM is on; clients take it for `already exists`."""
    taken = call.cluster.state.vms.get(vmid)
    if taken:
        raise failure(f"unable to create VM {vmid} - VM {vmid} already exists on node '{taken.node}'")


def join_pool(call: Call, vmid: int, pool: str | None) -> None:
    """Put the VM into a pool."""
    if pool is None:
        return
    if pool not in call.cluster.state.pools:
        raise invalid(pool=f"no such pool '{pool}'")
    call.cluster.state.pools[pool]["vms"].append(vmid)
