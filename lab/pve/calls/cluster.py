"""The cluster and its nodes as a whole."""

from __future__ import annotations

from lab.pve.drives import disks
from lab.pve.errors import failure, invalid
from lab.pve.machines import cpus, memory_mib
from lab.pve.power import is_running, uptime_s
from lab.pve.properties import UNITS
from lab.pve.routing import Call, needs, route
from lab.pve.state import Record, Vm
from lab.world import Node

FIRST_VMID = 100
VERSION = {"version": "9.1.4", "release": "9.1", "repoid": "5ac30304265fbd8e"}


@route("GET", "/version")
async def version(call: Call) -> object:
    """The Proxmox VE version that the recorded answers come from."""
    return VERSION | {"console": "html5"}


@route("GET", "/cluster/nextid")
async def next_id(call: Call) -> object:
    """The first free VM id, or the given one if it is free."""
    if "vmid" in call.params:
        wanted = call.params.number("vmid", minimum=FIRST_VMID)
        if wanted in call.cluster.state.vms:
            raise invalid(vmid=f"VM {wanted} already exists")
        return str(wanted)
    return str(next(vmid for vmid in range(FIRST_VMID, 10**9) if vmid not in call.cluster.state.vms))


@route("GET", "/cluster/status", needs("/", "Sys.Audit"))
async def status(call: Call) -> object:
    """Quorum and nodes."""
    nodes = call.cluster.world.nodes
    online = [node for node in nodes if _online(call, node)]
    quorate = int(2 * len(online) > len(nodes))
    cluster = {"type": "cluster", "id": "cluster", "name": call.cluster.world.id, "version": len(nodes)}
    return [cluster | {"nodes": len(nodes), "quorate": quorate}] + [
        {"type": "node", "id": f"node/{node.name}", "name": node.name, "nodeid": number, "ip": call.cluster.world.host}
        | {"online": int(node in online), "local": int(number == 1), "level": ""}
        for number, node in enumerate(nodes, 1)
    ]


@route("GET", "/cluster/resources")
async def resources(call: Call) -> object:
    """VMs, nodes and storages that the caller may see, of all nodes."""
    kind = call.params.get("type")
    found: list[Record] = []
    if kind in (None, "vm"):
        seen = [vm for vm in call.cluster.state.vms.values() if call.may(f"/vms/{vm.vmid}", "VM.Audit")]
        found += [await _vm(call, vm) for vm in seen]
    if kind in (None, "node"):
        found += [_node(call, node) | {"cgroup-mode": 2} for node in call.cluster.world.nodes]
    if kind in (None, "storage"):
        found += [
            _storage(node, call, s.name) for node in call.cluster.node_names() for s in call.cluster.world.storages
        ]
    return found


async def _vm(call: Call, vm: Vm) -> Record:
    running = await is_running(call.cluster, vm)
    reachable = vm.node not in call.cluster.faults.offline_nodes
    root = next((call.cluster.volumes.find(vm.node, item.file) for item in disks(vm.config)), None)
    shown: Record = {
        "id": f"qemu/{vm.vmid}",
        "type": "qemu",
        "vmid": vm.vmid,
        "node": vm.node,
        "name": vm.config.get("name", f"VM {vm.vmid}"),
        "status": ("running" if running else "stopped") if reachable else "unknown",
        "template": int(vm.is_template),
        "maxcpu": cpus(vm.config),
        "maxmem": memory_mib(vm.config) * UNITS["M"],
        "maxdisk": root.size if root else 0,
        "uptime": uptime_s(vm),
    }
    shown |= dict.fromkeys(("cpu", "mem", "disk", "diskread", "diskwrite", "netin", "netout"), 0)
    pool = next((name for name, pool in call.cluster.state.pools.items() if vm.vmid in pool["vms"]), None)
    shown |= {"pool": pool} if pool and call.may(f"/pool/{pool}", "Pool.Audit") else {}
    return shown | {key: vm.config[key] for key in ("tags", "lock") if vm.config.get(key)}


def _storage(node: str, call: Call, name: str) -> Record:
    storage = call.cluster.volumes.storage(name)
    used = sum(volume.size for volume in call.cluster.volumes.on(node, name) if not volume.guest_root)
    shown = {"id": f"storage/{node}/{name}", "type": "storage", "storage": name, "node": node, "status": "available"}
    use = {"disk": used, "maxdisk": storage.total_gib * UNITS["G"], "shared": int(storage.shared)}
    return shown | use | {"content": ",".join(storage.content), "plugintype": storage.type}


@route("GET", "/nodes")
async def nodes(call: Call) -> object:
    """All nodes; figures only for those who may audit them."""
    return [_node(call, node) | {"ssl_fingerprint": "AA:BB"} for node in call.cluster.world.nodes]


def _node(call: Call, node: Node) -> Record:
    status = "online" if _online(call, node) else "offline"
    shown: Record = {"node": node.name, "id": f"node/{node.name}", "type": "node", "status": status, "level": ""}
    if not call.may(f"/nodes/{node.name}", "Sys.Audit") or status == "offline":
        return shown
    use = {"maxcpu": node.cores, "maxmem": node.memory_gib * UNITS["G"], "mem": _memory_in_use(call, node), "cpu": 0.05}
    return shown | use | {"disk": 5 * UNITS["G"], "maxdisk": 100 * UNITS["G"], "uptime": 12345}


def _online(call: Call, node: Node) -> bool:
    return node.name not in call.cluster.faults.offline_nodes


def _memory_in_use(call: Call, node: Node) -> int:
    return (
        sum(memory_mib(vm.config) for vm in call.cluster.state.vms.values() if vm.on and vm.node == node.name)
        * UNITS["M"]
    )


@route("GET", "/nodes/{node}/status", needs("/nodes/{node}", "Sys.Audit"))
async def node_status(call: Call) -> object:
    """One node's figures."""
    node = next((node for node in call.cluster.world.nodes if node.name == call.node), None)
    if node is None:
        raise failure(f"no such node '{call.node}'")
    total, used = node.memory_gib * UNITS["G"], _memory_in_use(call, node)
    disk = {"total": 100 * UNITS["G"], "used": 5 * UNITS["G"], "avail": 95 * UNITS["G"], "free": 95 * UNITS["G"]}
    kernel = {"sysname": "Linux", "release": "6.17.2-1-pve", "version": "#1 SMP PREEMPT_DYNAMIC", "machine": "x86_64"}
    return {
        "uptime": 12345,
        "cpu": 0.05,
        "loadavg": ["0.10", "0.10", "0.10"],
        "cpuinfo": {"cores": node.cores, "cpus": node.cores, "sockets": 1, "model": "lab"},
        "memory": {"total": total, "used": used, "free": total - used, "available": total - used},
        "rootfs": disk,
        "pveversion": f"pve-manager/{VERSION['version']}/{VERSION['repoid']}",
        "current-kernel": kernel,
        "boot-info": {"mode": "efi", "secureboot": 0},
    }
