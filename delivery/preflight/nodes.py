"""Nodes: there, online, with room for the VMs that are to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from delivery.preflight.check import About, Check
from delivery.preflight.ids import is_ours
from delivery.preflight.scope import Scope
from provisioning.errors import ProvisioningError
from provisioning.inventory import Inventory, Node
from settings import VmSpec

MIB = 1 << 20


def check_nodes(scope: Scope, inventory: Inventory) -> Iterator[Check]:
    """Every node of the site file; cores and memory where VMs are to be made."""
    field = scope.of_site("proxmox.nodes")
    try:
        there = inventory.nodes()
    except ProvisioningError as error:
        yield About(name="node", field=field).unknown(str(error))
        return
    for name in scope.site.proxmox.nodes:
        about, node = About(name="node", subject=name, field=field), there.get(name)
        vms = [vm for vm in scope.program.vms if vm.node == name]
        if node is None:
            known = ", ".join(sorted(there)) or "none"
            yield about.failed(f"does not exist; the cluster has {known}", "correct proxmox.nodes of the site file")
        elif node.status != "online":
            yield _offline(about, node, is_used=bool(vms))
        else:
            yield about.passed("online")
            yield from _room(scope, inventory, node, vms) if vms else ()


def _offline(about: About, node: Node, *, is_used: bool) -> Check:
    detail, remedy = f"is {node.status}", "start it, or choose another node"
    return about.failed(detail, remedy) if is_used else about.passed(f"{detail}, and this stack has nothing on it")


def _room(scope: Scope, inventory: Inventory, node: Node, vms: Sequence[VmSpec]) -> Iterator[Check]:
    cores, memory = About(name="cores", subject=node.name), About(name="memory", subject=node.name)
    if node.cores is None or node.memory_bytes is None or node.memory_free_bytes is None:
        remedy = "grant it for these two lines, or leave it: `up` does not need it"
        because = f"the token has no Sys.Audit on /nodes/{node.name}, so it is not told"
        yield from (cores.unknown(because, remedy), memory.unknown(because, remedy))
        return
    largest = max(vms, key=lambda vm: vm.cores)
    if largest.cores > node.cores:
        cores = About(name="cores", subject=node.name, field=scope.of_vm(largest.name, "cores"))
        yield cores.failed(
            f"{largest.name} wants {largest.cores}, the node has {node.cores}", "a VM may have no more: lower `cores`"
        )
    else:
        yield cores.passed(f"at most {largest.cores} a VM, the node has {node.cores}")
    yield _memory(scope, inventory, memory, node.memory_free_bytes // MIB, vms)


def _memory(scope: Scope, inventory: Inventory, about: About, free_mib: int, vms: Sequence[VmSpec]) -> Check:
    try:
        wanted = sum(vm.memory_mib for vm in vms if not is_ours(scope, inventory, vm.vm_id, vm.name))
    except ProvisioningError as error:
        return about.unknown(str(error))
    detail = f"{wanted} MiB for new VMs, {free_mib} MiB are free"
    if wanted > free_mib:
        return about.passed(f"short: {detail}", "advice: Proxmox overcommits, and then swaps; lower `memory_mib`")
    return about.passed(detail)
