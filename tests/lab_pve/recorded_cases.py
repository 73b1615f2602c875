"""What was special about each recording: who misbehaved, whose VM was there, which calls do not replay and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab.pve.recovery import new_identity
from lab.pve.state import Value, Vm
from lab.world import GIB
from tests.lab_pve.pve_site import PveSite

UNUSED = {
    "extra.json": ({44, 51, 58, 60}, "a VM was still being created in these lists, which is over sooner here"),
    "misc.json": ({23, 42, 51, 65, 73}, "the recording server let a field of its own, `_vms`, out into these answers"),
    "trap-upid-not-unquoted.json": (
        {2, 3, 4},
        "the recording server did not unquote `%21` and so did not find its own worker; here it is found",
    ),
}
"""Calls that do not replay, and why."""
TEMPLATE_CONFIG: Mapping[str, Value] = {
    "cores": 1,
    "sockets": 1,
    "memory": "2048",
    "numa": 0,
    "ostype": "l26",
    "scsihw": "virtio-scsi-pci",
    "boot": "order=scsi0",
    "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
    "agent": "enabled=1",
    "serial0": "socket",
    "vga": "serial0",
}
LOCKED = "can't lock file '/var/lock/qemu-server/lock-{}.conf' - got timeout"
PUT_CONFIG = {"method": "PUT", "path": "/qemu/100/config$"}
CLONE = {"method": "POST", "path": "/clone$"}
FAULTS: Mapping[str, list[dict[str, Any]]] = {
    "clone-locked-500": [CLONE | {"status": 500, "reason": LOCKED.format(9000)}],
    "clone-locked-500-retries3": [CLONE | {"status": 500, "reason": LOCKED.format(9000)}],
    "config-put-locked": [PUT_CONFIG | {"status": 500, "reason": "VM is locked (backup)"}],
    "config-put-got-timeout": [PUT_CONFIG | {"status": 500, "reason": LOCKED.format(100), "times": 2}],
    "put-connection-drop": [PUT_CONFIG | {"drop": True}],
    "get-connection-drop": [{"method": "GET", "path": "/qemu/100/config$", "drop": True, "times": 2}],
    "nextid-403": [{"path": "/cluster/nextid$", "status": 403, "reason": "Permission check failed"}],
    "perm-403-clone": [CLONE | {"status": 403, "reason": "Permission check failed (/vms/100, VM.Allocate)"}],
    "node-595-on-clone": [CLONE | {"status": 595, "reason": "No route to host"}],
    "node-595-task-status": [{"path": "/tasks/.*/status$", "status": 595, "reason": "Connection refused"}],
    "resize-got-timeout": [{"path": "/resize$", "status": 500, "reason": LOCKED.format(100)}],
    "start-lock-timeout": [
        {"path": "/status/start$", "status": 500, "reason": "got no worker upid - start worker failed"}
    ],
    "task-status-599": [
        {"method": "GET", "path": "qmstart.*/status$", "status": 599, "reason": "Too many redirections", "times": 2}
    ],
    "ticket-auth-and-expiry": [PUT_CONFIG | {"status": 401, "reason": "permission denied - invalid PVE ticket"}],
    "task-fails-after-200": [
        {
            "task": "qmclone",
            "exit": "clone failed: lvcreate 'pve/vm-100-disk-0' error: insufficient free space",
            "log": [
                "create full clone of drive scsi0 (local-lvm:base-9000-disk-0)",
                "TASK ERROR: clone failed: lvcreate error: insufficient free space",
            ],
        }
    ],
    "task-warnings": [
        {
            "task": "qmclone",
            "exit": "WARNINGS: 1",
            "log": ["WARN: iothread is only valid with virtio disk", "TASK WARNINGS: 1"],
        }
    ],
    "destroy-protection": [
        {
            "method": "DELETE",
            "path": "/qemu/100$",
            "status": 500,
            "reason": "can't remove VM 100 - protection mode enabled",
            "times": 3,
        }
    ],
    "destroy-task-fails": [{"task": "qmdestroy", "exit": "can't remove VM 100 - lvremove failed"}],
    "update-agent-hangs-shutdown": [{"task": "qmshutdown", "exit": "VM quit/powerdown failed - got timeout"}],
}
"""What misbehaved from the start of a recording."""


def _someone_elses(pve: PveSite, node: str) -> None:
    size_gib = 20 if node == "pve2" else 10
    pve.cluster.volumes.add(node, "local-lvm:vm-300-disk-0", size_gib * GIB, owner=300)
    config: dict[str, Value] = {"name": "someone-elses", **TEMPLATE_CONFIG}
    config["scsi0"] = f"local-lvm:vm-300-disk-0,size={size_gib}G"
    for absent in ("net0", "agent", "serial0", "vga"):
        del config[absent]
    config |= new_identity()
    pve.cluster.state.vms[300] = Vm(vmid=300, node=node, config=config, on=node == "pve2")


def nothing(pve: PveSite) -> None:
    """Between most phases nobody did anything."""


def _node_goes(pve: PveSite) -> None:
    pve.cluster.faults.arm({"offline_node": "pve1"})


def _vm_goes(pve: PveSite) -> None:
    del pve.cluster.state.vms[100]


BEFORE: Mapping[str, Callable[[PveSite], None]] = {
    "vmid-conflict-create-other-node": lambda pve: _someone_elses(pve, "pve2"),
    "vmid-conflict-clone-retries1": lambda pve: _someone_elses(pve, "pve2"),
    "vmid-conflict-clone-retries2": lambda pve: _someone_elses(pve, "pve1"),
    "vmid-conflict-create": lambda pve: _someone_elses(pve, "pve1"),
    "vmid-conflict-create-then-destroy": lambda pve: _someone_elses(pve, "pve1"),
}
BETWEEN: Mapping[str, Callable[[PveSite], None]] = {
    "refresh-595": _node_goes,
    "refresh-vm-gone": _vm_goes,
}
"""What somebody did between the phases."""
