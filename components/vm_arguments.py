"""A VM of the plan in the words of the Proxmox provider."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_proxmoxve as proxmoxve

from provisioning.mark import TAG, mark
from settings import VmSpec

# Left out, the provider puts the node's own drive in, which takes Sys.Console on / (measured)
EMPTY_DRIVE = {"file_id": "none", "interface": "ide3"}
AGENT_TIMEOUT = "3m"  # the provider's own default is 15 min; SSH is what counts as proof


def clone_arguments(
    spec: VmSpec, owner: str, nonce: pulumi.Input[str], data_vm: proxmoxve.VmLegacy | None
) -> dict[str, Any]:
    """Arguments of the VM itself. `retries=1`: with more, the provider adopts a stranger's VM (docs/adr)."""
    return {
        "name": spec.name,
        "node_name": spec.node,
        "vm_id": spec.vm_id,
        "description": _mark(owner, nonce),
        "tags": _tags(spec, owner),
        "clone": {
            "vm_id": spec.template_id,
            "full": spec.full_clone,
            "retries": 1,
            **({"datastore_id": spec.storage} if spec.full_clone else {}),
        },
        "cpu": {"cores": spec.cores, "type": spec.cpu_type},
        "memory": {"dedicated": spec.memory_mib},
        "agent": {"enabled": True, "timeout": AGENT_TIMEOUT},
        "operating_system": {"type": "l26"},  # a clone would say `other`
        "on_boot": spec.on_boot,
        "protection": spec.protection,
        "started": True,
        "disks": [_root_disk(spec), *_attached_disks(spec, data_vm)],
        "network_devices": [_network_device(nic) for nic in spec.nics],
    }


def data_vm_arguments(spec: VmSpec, name: str, owner: str, nonce: pulumi.Input[str]) -> dict[str, Any]:
    """Arguments of the VM that only holds disks and never runs, so that they outlive the VM that uses them."""
    return {
        "name": name,
        "node_name": spec.node,
        "vm_id": spec.data_vm_id,
        "description": _mark(owner, nonce),
        "tags": _tags(spec, owner),
        "on_boot": False,
        "started": False,
        "cdrom": EMPTY_DRIVE,
        "protection": spec.protection,
        "disks": [
            {
                "interface": disk.slot,
                "datastore_id": disk.storage,
                "size": disk.size_gib,
                "file_format": "raw",
            }
            for disk in spec.data_disks
        ],
    }


def _mark(owner: str, nonce: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(nonce).apply(lambda known: mark(owner, known))


def _tags(spec: VmSpec, owner: str) -> list[str]:
    stack = owner.split("/")[1].lower()
    return sorted({TAG, f"{TAG}-{stack}", *spec.tags})  # sorted as Proxmox stores them


def _root_disk(spec: VmSpec) -> dict[str, Any]:
    return {
        "interface": "scsi0",
        "datastore_id": spec.storage,
        "size": spec.disk_gib,
        "file_format": "raw",
    }


def _attached_disks(spec: VmSpec, data_vm: proxmoxve.VmLegacy | None) -> list[dict[str, Any]]:
    if data_vm is None:
        return []
    return [
        {
            "interface": disk.slot,
            "datastore_id": disk.storage,
            "path_in_datastore": data_vm.disks[index].path_in_datastore,
            "size": disk.size_gib,
            "file_format": "raw",
        }
        for index, disk in enumerate(spec.data_disks)
    ]


def _network_device(nic: Any) -> dict[str, Any]:
    device = {"bridge": nic.bridge, "mac_address": nic.mac, "model": "virtio"}
    return {**device, "vlan_id": nic.vlan} if nic.vlan is not None else device
