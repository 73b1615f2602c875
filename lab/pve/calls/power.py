"""Start, stop, shut down, reboot and reset, and how a VM is now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from lab.pve import power
from lab.pve.cluster import check_lock
from lab.pve.drives import disks
from lab.pve.errors import failure
from lab.pve.machines import cpus, memory_mib
from lab.pve.properties import UNITS, parse
from lab.pve.routing import Call, needs, route
from lab.pve.state import Record, Vm
from lab.pve.tasks import Log

STATUS = "/nodes/{node}/qemu/{vmid}/status"
SHUTDOWN_TIMEOUT_S = 180
_MAY = needs("/vms/{vmid}", "VM.PowerMgmt")


@route("GET", f"{STATUS}/current", needs("/vms/{vmid}", "VM.Audit"))
async def current(call: Call) -> object:
    """Running or stopped, and what it is made of."""
    vm = call.vm
    status = "running" if await power.is_running(call.cluster, vm) else "stopped"
    shown: Record = {
        "vmid": vm.vmid,
        "name": vm.config.get("name", f"VM {vm.vmid}"),
        "status": status,
        "qmpstatus": status,
        "cpus": cpus(vm.config),
        "maxmem": memory_mib(vm.config) * UNITS["M"],
        "maxdisk": _boot_disk_size(call, vm),
        "uptime": power.uptime_s(vm),
        "ha": {"managed": int(f"vm:{vm.vmid}" in call.cluster.state.objects.get("resources", {}))},
        "agent": int(agent_enabled(vm)),
    }
    shown |= dict.fromkeys(("mem", "disk", "cpu", "netin", "netout", "diskread", "diskwrite"), 0)
    if vm.on:
        shown["pid"] = vm.vmid
    return shown | {key: vm.config[key] for key in ("lock", "tags", "template") if vm.config.get(key)}


def agent_enabled(vm: Vm) -> bool:
    """Whether the agent's device is there."""
    return parse(str(vm.config.get("agent", "0")), "enabled").get("enabled") == "1"


def _boot_disk_size(call: Call, vm: Vm) -> int:
    first = next((item.file for item in disks(vm.config)), "")
    volume = call.cluster.volumes.find(vm.node, first)
    return volume.size if volume else 0


@route("POST", f"{STATUS}/start", _MAY)
async def start(call: Call) -> object:
    """Power on."""
    vm = call.vm
    if vm.is_template:
        raise failure("you can't start a vm if it's a template")
    return _worker(call, "qmstart", lambda: power.start(call.cluster, vm))


@route("POST", f"{STATUS}/stop", _MAY)
async def stop(call: Call) -> object:
    """Pull the plug."""
    vm = call.vm
    return _worker(call, "qmstop", lambda: power.stop(call.cluster, vm))


@route("POST", f"{STATUS}/shutdown", _MAY)
async def shutdown(call: Call) -> object:
    """Ask the guest; with forceStop pull the plug after the timeout."""
    vm, force = call.vm, call.params.flag("forceStop")
    timeout_s = call.params.number("timeout", SHUTDOWN_TIMEOUT_S, minimum=0)
    return _worker(call, "qmshutdown", lambda: power.shutdown(call.cluster, vm, timeout_s, force=force))


@route("POST", f"{STATUS}/reboot", _MAY)
async def reboot(call: Call) -> object:
    """Shut down and start again, which applies pending changes."""
    vm, timeout_s = call.vm, call.params.number("timeout", SHUTDOWN_TIMEOUT_S, minimum=0)
    await _check_running(call, vm)

    async def cycle() -> None:
        await power.shutdown(call.cluster, vm, timeout_s, force=False)
        await power.start(call.cluster, vm)

    return _worker(call, "qmreboot", cycle)


@route("POST", f"{STATUS}/reset", _MAY)
async def reset(call: Call) -> object:
    """The reset button."""
    vm = call.vm
    await _check_running(call, vm)
    return _worker(call, "qmreset", lambda: power.reset(call.cluster, vm))


async def _check_running(call: Call, vm: Vm) -> None:
    if not await power.is_running(call.cluster, vm):
        raise failure(f"VM {vm.vmid} not running")


def _worker(call: Call, kind: str, act: Callable[[], Awaitable[None]]) -> str:
    vm = call.vm

    async def work(log: Log) -> None:
        async with call.cluster.locks.hold(vm.vmid):
            check_lock(vm)
            await act()

    return call.cluster.tasks.start(call.node, kind, vm.vmid, call.user, work)
