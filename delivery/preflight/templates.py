"""Templates: there on the node, a template, and not larger than the disk that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from delivery.preflight.check import About, Check
from delivery.preflight.scope import Scope
from provisioning.errors import ProvisioningError
from provisioning.inventory import ROOT_DISK, Inventory
from settings import VmSpec


def check_templates(scope: Scope, inventory: Inventory) -> Iterator[Check]:
    """A line for each template on each node."""
    if because := scope.unusable("vms"):
        yield About(name="template").unknown(because)
    for node, template_id in dict.fromkeys((vm.node, vm.template_id) for vm in scope.program.vms):
        users = [vm for vm in scope.program.vms if (vm.node, vm.template_id) == (node, template_id)]
        smallest = min(users, key=lambda vm: vm.disk_gib)
        setting = scope.of_site("proxmox.templates")
        about = About(name="template", subject=f"{template_id} on {node}", field=setting)
        try:
            yield _one(scope, inventory, about, smallest)
        except ProvisioningError as error:
            yield about.unknown(str(error))


def _one(scope: Scope, inventory: Inventory, about: About, smallest: VmSpec) -> Check:
    there = inventory.vms().get(smallest.template_id)
    if there is None:
        return about.failed("does not exist, or the token may not see it", "`make template` imports one")
    if not there.is_template:
        return about.failed(f"is a VM ({there.name}), not a template", "`make template` imports one")
    if there.node != smallest.node:
        return about.failed(f"is on node {there.node}", "correct proxmox.templates of the site file, or import it here")
    parts = inventory.template(smallest.node, smallest.template_id)
    if parts.disk_gib is None:
        return about.failed(
            f"has no disk at {ROOT_DISK}, which becomes the root disk", "import one with `make template`"
        )
    if parts.disk_gib > smallest.disk_gib:
        about = About(name=about.name, subject=about.subject, field=scope.of_vm(smallest.name, "disk_gib"))
        return about.failed(
            f"its disk has {parts.disk_gib:g} GiB, {smallest.name} asks for {smallest.disk_gib}",
            "disks never shrink: raise `disk_gib`",
        )
    return about.passed(f"{there.name}, {parts.disk_gib:g} GiB")
