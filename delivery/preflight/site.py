"""What the Proxmox API says of the site, against what the stack wants."""

from __future__ import annotations

from collections.abc import Iterator

from delivery.preflight.addresses import check_addresses
from delivery.preflight.check import About, Check
from delivery.preflight.clocks import clock
from delivery.preflight.door import knock
from delivery.preflight.ids import check_ids, wanted_ids
from delivery.preflight.networks import check_networks
from delivery.preflight.nodes import check_nodes
from delivery.preflight.permissions import check_permissions, permission_questions
from delivery.preflight.scope import Scope
from delivery.preflight.storages import check_storages
from delivery.preflight.templates import check_templates
from provisioning.errors import ProvisioningError
from provisioning.inventory import (
    NODES,
    VMS,
    Inventory,
    Question,
    config_of,
    devices_of,
    is_free,
    storages_on,
)
from provisioning.proxmox import Proxmox

WAVE_S = 4.0
DEPENDENT = ("permission", "node", "storage", "template", "network", "vm id")


def check_site(scope: Scope) -> Iterator[Check]:
    """From the first packet to the last VM id."""
    door, inventory = knock(scope), None
    yield from door.ladder.checks
    if door.stopped_by:
        yield from (About(name=name).unknown(door.stopped_by) for name in DEPENDENT)
    else:
        yield clock(About(name="clock", subject="Proxmox API"), door.api.ahead_s)
        inventory = take_inventory(scope, door.api)
        yield from check_inventory(scope, inventory)
    yield from check_addresses(scope, inventory, door.stopped_by)


def check_inventory(scope: Scope, inventory: Inventory) -> Iterator[Check]:
    """Everything that the answers decide."""
    yield from check_permissions(scope, inventory)
    yield from check_nodes(scope, inventory)
    yield from check_storages(scope, inventory)
    yield from check_templates(scope, inventory)
    yield from check_networks(scope, inventory)
    yield from check_ids(scope, inventory)


def take_inventory(scope: Scope, api: Proxmox) -> Inventory:
    """Two waves: what can be asked right away, then what the answers lead to."""
    inventory = Inventory(api, WAVE_S)
    inventory.ask(_first_questions(scope))
    inventory.ask([*permission_questions(scope, inventory), *_about_ids(scope, inventory)])
    return inventory


def _first_questions(scope: Scope) -> Iterator[Question]:
    yield from (NODES, VMS)
    for node in scope.used_nodes():
        yield from (storages_on(node), devices_of(node))
    for vm in scope.program.vms:
        yield config_of(vm.node, vm.template_id)


def _about_ids(scope: Scope, inventory: Inventory) -> Iterator[Question]:
    try:
        there = inventory.vms()
    except ProvisioningError:
        return
    for vm_id, _, _ in wanted_ids(scope):
        yield config_of(there[vm_id].node, vm_id) if vm_id in there else is_free(vm_id)
