"""Bridges and VLANs: there on each node where a VM is plugged in."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from delivery.preflight.check import About, Check
from delivery.preflight.scope import Scope
from provisioning.errors import ProvisioningError
from provisioning.inventory import Inventory


def check_networks(scope: Scope, inventory: Inventory) -> Iterator[Check]:
    """A line for each bridge and VLAN on each node."""
    if because := scope.unusable("vms"):
        yield About(name="network").unknown(because)
    owned = {(str(bridge.node), bridge.name) for bridge in scope.program.owned_bridges()}
    used = {
        (vm.node, nic.bridge, nic.vlan): scope.of_vm(vm.name, f"networks[{slot}].bridge")
        for vm in scope.program.vms
        for slot, nic in enumerate(vm.nics)
    }
    for (node, bridge, vlan), setting in sorted(used.items(), key=lambda item: str(item[0])):
        tag = f" VLAN {vlan}" if vlan is not None else ""
        about = About(name="network", subject=f"{bridge}{tag} on {node}", field=setting)
        if (node, bridge) in owned:
            yield about.passed("made by this stack")
            continue
        try:
            there = inventory.bridges(node)
        except ProvisioningError as error:
            yield about.unknown(str(error))
            continue
        yield _one(about, bridge, there, tag)


def _one(about: About, bridge: str, there: Collection[str], tag: str) -> Check:
    if bridge not in there:
        known = ", ".join(sorted(there)) or "none"
        return about.failed(
            f"the bridge does not exist there, or the token may not see it; there is {known}",
            "make it on the node, own it in `bridges`, or correct the site file",
        )
    return about.passed("there; what the switch does with the VLAN cannot be seen from here" if tag else "there")
