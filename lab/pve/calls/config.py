"""A VM's configuration: read, change, and what waits for the next power cycle."""

from __future__ import annotations

import hashlib
import json

from lab.pve.changes import apply_pending, delete_options, hot_plug, revert_options, set_options
from lab.pve.cluster import check_lock
from lab.pve.config_access import check_options
from lab.pve.errors import failure, invalid
from lab.pve.options import privilege
from lab.pve.params import Params
from lab.pve.permissions import ROOT
from lab.pve.power import is_running
from lab.pve.properties import words
from lab.pve.routing import Call, needs, needs_any, route
from lab.pve.state import Record, Value, Vm
from lab.pve.tasks import Log

CONFIG = "/nodes/{node}/qemu/{vmid}/config"
MASK = "**********"
_CONTROL = "vmid node digest skiplock background_delay delete revert force import-working-storage".split()
_CHANGE = needs_any(
    "/vms/{vmid}",
    *(f"VM.Config.{part}" for part in "Disk CDROM CPU Memory Network HWType Options Cloudinit".split()),
)


@route("GET", CONFIG, needs("/vms/{vmid}", "VM.Audit"))
async def read(call: Call) -> object:
    """The configuration with pending changes applied, unless `current` is asked for."""
    vm = call.vm
    config = vm.config if call.params.flag("current") else vm.wanted()
    return {key: _shown(key, value) for key, value in config.items()} | {"digest": digest(vm)}


def digest(vm: Vm) -> str:
    """Changes with every change of the configuration."""
    return hashlib.sha1(json.dumps([vm.config, vm.pending]).encode(), usedforsecurity=False).hexdigest()


def _shown(key: str, value: Value) -> Value:
    return MASK if key == "cipassword" else value


@route("PUT", CONFIG, _CHANGE)
async def change(call: Call) -> object:
    """Change and wait for it."""
    vm, wanted, deleted = _checked(call)
    await _change(call, vm, wanted, deleted)
    return None


@route("POST", CONFIG, _CHANGE)
async def change_in_background(call: Call) -> object:
    """Change in a worker."""
    vm, wanted, deleted = _checked(call)

    async def work(log: Log) -> None:
        await _change(call, vm, wanted, deleted)

    return call.cluster.tasks.start(call.node, "qmconfig", vm.vmid, call.user, work)


def _checked(call: Call) -> tuple[Vm, Params, list[str]]:
    wanted = Params({name: text for name, text in call.params.items() if name not in _CONTROL})
    deleted = words(call.params.get("delete", ""))
    if not wanted and not deleted and "revert" not in call.params:
        raise failure("no options specified")
    if call.params.flag("skiplock") and call.user != ROOT:
        raise invalid(skiplock="Only root may use this option.")
    for option in (*wanted, *deleted):
        privilege(option)
    both = next((option for option in deleted if option in wanted), None)
    if both:
        raise invalid(delete=f"you can't use '-{both}' and -delete {both}' at the same time")
    vm = call.vm
    check_options(call, vm, wanted, deleted)
    return vm, wanted, deleted


async def _change(call: Call, vm: Vm, wanted: Params, deleted: list[str]) -> None:
    async with call.cluster.locks.hold(vm.vmid):
        if call.params.get("digest", digest(vm)) != digest(vm):
            raise failure("checksum mismatch (file change by other user?)")
        if not call.params.flag("skiplock"):
            check_lock(vm)
        if not await is_running(call.cluster, vm):
            apply_pending(call.cluster, vm)
        revert_options(vm, words(call.params.get("revert", "")))
        delete_options(call.cluster, vm, deleted, destroy=call.params.flag("force"))
        set_options(call.cluster, vm, wanted)
        await hot_plug(call.cluster, vm, [*wanted, *deleted])


@route("GET", "/nodes/{node}/qemu/{vmid}/pending", needs("/vms/{vmid}", "VM.Audit"))
async def pending(call: Call) -> object:
    """Each option with its current and its pending value."""
    vm = call.vm
    return [_pending_entry(vm, key) for key in {**vm.config, **vm.pending}]


def _pending_entry(vm: Vm, key: str) -> Record:
    entry: Record = {"key": key}
    if key in vm.config:
        entry["value"] = _shown(key, vm.config[key])
    if key in vm.pending:
        value = vm.pending[key]
        entry |= {"delete": 1} if value is None else {"pending": _shown(key, value)}
    return entry


@route("PUT", "/nodes/{node}/qemu/{vmid}/cloudinit", needs("/vms/{vmid}", "VM.Config.Cloudinit"))
async def regenerate_cloudinit(call: Call) -> object:
    """Make the cloud-init image anew."""
    await hot_plug(call.cluster, call.vm, ["ide2"])
    return None
