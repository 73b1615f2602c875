"""Addresses: nobody answers where a new VM is to be."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from delivery.preflight.check import About, Check
from delivery.preflight.ids import is_ours
from delivery.preflight.scope import Scope
from provisioning.at_once import at_once
from provisioning.claim import somebody_answers
from provisioning.errors import ProvisioningError
from provisioning.inventory import Inventory
from settings import VmSpec

PORTS = (22, 445, 3389)
"""Linux, and what Windows opens first."""
DEADLINE_S, AT_ONCE = 6.0, 64


def check_addresses(scope: Scope, inventory: Inventory | None, no_inventory: str) -> Iterator[Check]:
    """A line for each static address."""
    if because := scope.unusable("vms"):
        yield About(name="address").unknown(because)
    wanted = [
        (vm, str(nic.address.ip), slot) for vm in scope.program.vms for slot, nic in enumerate(vm.nics) if nic.address
    ]
    probes = at_once([partial(_is_taken, address) for _, address, _ in wanted], DEADLINE_S, AT_ONCE)
    for (vm, address, slot), taken in zip(wanted, probes, strict=True):
        about = About(
            name="address", subject=f"{address} {vm.name}", field=scope.of_vm(vm.name, f"networks[{slot}].address")
        )
        if isinstance(taken, Exception):
            yield about.unknown(str(taken))
        elif not taken:
            yield about.passed(f"nobody answers on TCP {', '.join(map(str, PORTS))}; who is off is not noticed")
        else:
            yield _taken(scope, inventory, about, vm, no_inventory)


def _taken(scope: Scope, inventory: Inventory | None, about: About, vm: VmSpec, no_inventory: str) -> Check:
    if inventory is None:
        return about.unknown(f"somebody answers, and whether it is VM {vm.vm_id} of ours is not known: {no_inventory}")
    try:
        ours = is_ours(scope, inventory, vm.vm_id, vm.name)
    except ProvisioningError as error:
        return about.unknown(f"somebody answers, and whether it is VM {vm.vm_id} of ours is not known: {error}")
    if ours:
        return about.passed(f"answers, and VM {vm.vm_id} is this stack's own already")
    return about.failed("taken: a machine answers there", "choose a free address, or find out who has it")


def _is_taken(address: str) -> bool:
    return any(somebody_answers(address, port) for port in PORTS)
