"""VM ids: free, or this stack's own already."""

from __future__ import annotations

from collections.abc import Iterator

from delivery.preflight.check import About, Check
from delivery.preflight.scope import Scope
from provisioning.errors import ProvisioningError
from provisioning.inventory import Inventory


def wanted_ids(scope: Scope) -> Iterator[tuple[int, str, str]]:
    """Id, name and setting of every VM that the stack makes."""
    for vm in scope.program.vms:
        yield vm.vm_id, vm.name, scope.of_vm(vm.name, "first_id")
        if vm.data_vm_id is not None:
            yield vm.data_vm_id, f"{vm.name}-data", scope.of_vm(vm.name, "data_first_id")


def owner(scope: Scope, name: str) -> str:
    """What our VMs carry in their notes."""
    return f"{scope.site.id}/{scope.stack}/{name}"


def is_ours(scope: Scope, inventory: Inventory, vm_id: int, name: str) -> bool:
    """Whether the VM is there and carries our mark. Raises ProvisioningError when that cannot be told."""
    there = inventory.vms().get(vm_id)
    return there is not None and inventory.owner(there) == owner(scope, name)


def check_ids(scope: Scope, inventory: Inventory) -> Iterator[Check]:
    """A line for each."""
    if because := scope.unusable("vms"):
        yield About(name="vm id").unknown(because)
    for vm_id, name, setting in wanted_ids(scope):
        about = About(name="vm id", subject=f"{vm_id} {name}", field=setting)
        try:
            yield _one(scope, inventory, about, vm_id, name)
        except ProvisioningError as error:
            yield about.unknown(str(error))


def _one(scope: Scope, inventory: Inventory, about: About, vm_id: int, name: str) -> Check:
    remedy = "choose a free id (`first_id`, or `overrides`); what is there is left alone"
    there = inventory.vms().get(vm_id)
    if there is None:
        if inventory.is_taken_unseen(vm_id):
            return about.failed("taken by a VM that this token may not see", remedy)
        return about.passed("free")
    found = inventory.owner(there)
    if found == owner(scope, name):
        return about.passed(f"this stack's own already, on {there.node}")
    whose = f"VM of {found}" if found else f"somebody else's {'template' if there.is_template else 'VM'}"
    return about.failed(f"taken: {whose} ({there.name or 'without a name'}) on node {there.node}", remedy)
