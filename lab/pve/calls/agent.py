"""The guest agent: answers about the guest, and refuses to run or read anything in it, as Rocky's default does."""

from __future__ import annotations

from lab.hypervisor import Interface
from lab.pve.calls.power import agent_enabled
from lab.pve.errors import failure
from lab.pve.power import is_running
from lab.pve.routing import Call, needs, needs_any, route
from lab.pve.state import Record

AGENT = "/nodes/{node}/qemu/{vmid}/agent"
_AUDIT = needs_any("/vms/{vmid}", "VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted")
_COUNTERS = [f"{way}-{what}" for way in ("rx", "tx") for what in ("bytes", "dropped", "errs", "packets")]
_PRETTY = {"rocky": "Rocky Linux", "debian": "Debian GNU/Linux"}


@route("POST", f"{AGENT}/ping", _AUDIT)
async def ping(call: Call) -> object:
    """Whether the agent answers."""
    await _interfaces(call)
    return {"result": {}}


@route("GET", f"{AGENT}/network-get-interfaces", _AUDIT)
async def network_interfaces(call: Call) -> object:
    """Interfaces with their MAC and addresses."""
    return {"result": [_shown(interface) for interface in await _interfaces(call)]}


def _shown(interface: Interface) -> Record:
    shown: Record = {"name": interface.name, "hardware-address": interface.mac.lower()}
    shown["ip-addresses"] = [_address(cidr) for cidr in interface.addresses]
    return shown if interface.name == "lo" else shown | {"statistics": dict.fromkeys(_COUNTERS, 0)}


def _address(cidr: str) -> Record:
    address, _, prefix = cidr.partition("/")
    return {"ip-address": address, "prefix": int(prefix), "ip-address-type": "ipv6" if ":" in address else "ipv4"}


@route("GET", f"{AGENT}/get-host-name", _AUDIT)
async def host_name(call: Call) -> object:
    """The guest's name."""
    await _interfaces(call)
    return {"result": {"host-name": call.vm.config.get("name", f"VM{call.vmid}")}}


@route("GET", f"{AGENT}/get-osinfo", _AUDIT)
async def os_info(call: Call) -> object:
    """The guest's distribution, known from its image."""
    await _interfaces(call)
    system, _, version = (call.vm.image or "").partition("-")
    name = _PRETTY.get(system, system)
    return {"result": {"id": system, "name": name, "version-id": version, "pretty-name": f"{name} {version}"}}


async def _interfaces(call: Call) -> list[Interface]:
    vm = call.vm
    if not await is_running(call.cluster, vm):
        raise failure(f"VM {vm.vmid} is not running")
    if not agent_enabled(vm):
        raise failure("No QEMU guest agent configured")
    found = None
    if vm.image is not None and vm.vmid not in call.cluster.faults.silent_agents:
        found = await call.cluster.in_thread(call.cluster.hypervisor.interfaces, vm.vmid)
    if found is None:
        raise failure("QEMU guest agent is not running")
    return list(found)


async def _refuse(call: Call, command: str) -> object:
    await _interfaces(call)
    raise failure(f"Agent error: The command {command} has been disabled for this instance")


@route("POST", f"{AGENT}/exec", needs("/vms/{vmid}", "VM.GuestAgent.Unrestricted"))
async def execute(call: Call) -> object:
    """Refused."""
    return await _refuse(call, "guest-exec")


@route("GET", f"{AGENT}/exec-status", needs("/vms/{vmid}", "VM.GuestAgent.Unrestricted"))
async def execution_status(call: Call) -> object:
    """Refused."""
    return await _refuse(call, "guest-exec-status")


@route("GET", f"{AGENT}/file-read", needs_any("/vms/{vmid}", "VM.GuestAgent.FileRead", "VM.GuestAgent.Unrestricted"))
async def read_file(call: Call) -> object:
    """Refused."""
    return await _refuse(call, "guest-file-open")


@route("POST", f"{AGENT}/file-write", needs_any("/vms/{vmid}", "VM.GuestAgent.FileWrite", "VM.GuestAgent.Unrestricted"))
async def write_file(call: Call) -> object:
    """Refused."""
    return await _refuse(call, "guest-file-open")
