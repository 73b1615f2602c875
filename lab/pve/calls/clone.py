"""Cloning, and turning a VM into a template."""

from __future__ import annotations

import re

from lab.pve.calls.vms import join_pool
from lab.pve.changes import set_options
from lab.pve.cluster import check_lock
from lab.pve.config_access import check_bridge
from lab.pve.copies import copy, remove
from lab.pve.drives import disks
from lab.pve.errors import failure, invalid
from lab.pve.power import is_running
from lab.pve.properties import matching, nic_options
from lab.pve.routing import Call, needs, route
from lab.pve.state import Vm
from lab.pve.tasks import Log


@route("POST", "/nodes/{node}/qemu/{vmid}/clone", needs("/vms/{vmid}", "VM.Clone"))
async def clone(call: Call) -> object:
    """A copy under a new id. Until the worker is done the copy has a lock and nothing else."""
    source, vmid = call.vm, call.params.number("newid", minimum=100)
    full = call.params.flag("full", not source.is_template)
    _check_allowed(call, source, vmid, full=full)
    name = call.params.get("name") or f"Copy-of-VM-{source.config.get('name', source.vmid)}"
    extra = {"name": name} | {key: call.params[key] for key in ("description",) if key in call.params}
    async with call.cluster.locks.hold(source.vmid):
        check_lock(source)
        if vmid in call.cluster.state.vms:
            raise failure(f"unable to create VM {vmid}: config file already exists")
        target = Vm(vmid=vmid, node=_target_node(call, source), config={"lock": "clone"}, image=source.image)
        join_pool(call, vmid, call.params.get("pool"))
        call.cluster.state.vms[vmid] = target

    async def work(log: Log) -> None:
        for item in disks(source.config):
            log(f"create {'full' if full else 'linked'} clone of drive {item.slot} ({item.file})")
        config = await copy(call.cluster, source, target, full=full, storage=call.params.get("storage"))
        target.config = config
        set_options(call.cluster, target, extra)

    async def undo(log: Log) -> None:
        await remove(call.cluster, target)

    return call.cluster.tasks.start(call.node, "qmclone", source.vmid, call.user, work, undo)


def _check_allowed(call: Call, source: Vm, vmid: int, *, full: bool) -> None:
    pool, storage = call.params.get("pool"), call.params.get("storage")
    if not (pool and call.may(f"/pool/{pool}", "VM.Allocate")):
        call.require(f"/vms/{vmid}", "VM.Allocate")
    if storage and not full:
        raise failure("parameter 'storage' not allowed for linked clones")
    if storage and "images" not in call.cluster.volumes.storage(storage).content:
        raise invalid(storage=f"storage '{storage}' does not support vm images")
    for used in {storage or item.storage for item in disks(source.config)}:
        call.require(f"/storage/{used}", "Datastore.AllocateSpace")
    for option in matching(source.config, r"net(\d+)"):
        check_bridge(call, nic_options(option, str(source.config[option])))


def _target_node(call: Call, source: Vm) -> str:
    target = call.params.get("target", source.node)
    if target not in call.cluster.node_names():
        raise invalid(target=f"no such cluster node '{target}'")
    used = {call.params.get("storage", item.storage) for item in disks(source.config)}
    if target != source.node and not all(call.cluster.volumes.storage(name).shared for name in used):
        raise failure(f"can't clone VM to node '{target}' (VM uses local storage)")
    return target


@route("POST", "/nodes/{node}/qemu/{vmid}/template", needs("/vms/{vmid}", "VM.Allocate"))
async def make_template(call: Call) -> object:
    """From now on the VM is only cloned."""
    vm = call.vm
    check_lock(vm)
    if vm.is_template:
        raise failure("you can't convert a template to a template")
    if await is_running(call.cluster, vm):
        raise failure("you can't convert a VM to template if VM is running")

    async def work(log: Log) -> None:
        async with call.cluster.locks.hold(vm.vmid):
            for item in disks(vm.config):
                based = re.sub(rf"\bvm-{vm.vmid}-disk-", f"base-{vm.vmid}-disk-", item.file)
                call.cluster.volumes.rename(call.cluster.volumes.require(vm.node, item.file), based)
                vm.config[item.slot] = str(vm.config[item.slot]).replace(item.file, based, 1)
            vm.config["template"] = 1

    return call.cluster.tasks.start(call.node, "qmtemplate", vm.vmid, call.user, work)
