"""Addresses: nobody answers where a new VM is to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
        (vm, slot, str(nic.address.ip)) for vm in scope.program.vms for slot, nic in enumerate(vm.nics) if nic.address
    ]
    probes = _probed([address for _, _, address in wanted])
    for vm, slot, address in wanted:
        setting = scope.of_vm(vm.name, f"networks[{slot}].address")
        about = About(name="address", subject=f"{address} {vm.name}", field=setting)
        errors = [answer for answer in probes[address] if isinstance(answer, Exception)]
        if True in probes[address]:
            yield _taken(scope, inventory, about, vm, no_inventory)
        elif errors:
            yield about.unknown(str(errors[0]))
        else:
            yield about.passed(f"nobody answers on TCP {', '.join(map(str, PORTS))}; who is off is not noticed")


def _probed(addresses: Sequence[str]) -> Mapping[str, list[bool | Exception]]:
    """Whether somebody is there, by address, as each port tells."""
    pairs = [(address, port) for address in addresses for port in PORTS]
    answers = at_once([partial(somebody_answers, *pair) for pair in pairs], DEADLINE_S, AT_ONCE)
    found: dict[str, list[bool | Exception]] = {address: [] for address in addresses}
    for (address, _), answer in zip(pairs, answers, strict=True):
        found[address].append(answer)
    return found


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
