"""Proxmox sites for tests."""

from __future__ import annotations

from typing import Any

from lab.world import Bridge, Grant, Node, Storage, Template, World

ROOT_TOKEN = "root@pam!lab"


def world(**changes: Any) -> World:
    """Two nodes, a template on the first, no waiting."""
    values: dict[str, Any] = {
        "id": "test",
        "host": "127.0.0.1",
        "port": 0,
        "nodes": (Node(name="pve1", cores=8, memory_gib=64), Node(name="pve2", cores=8, memory_gib=64)),
        "storages": (
            Storage(name="local", type="dir", content=("iso", "vztmpl", "backup", "snippets", "import"), total_gib=100),
            Storage(name="local-lvm", type="lvmthin", content=("images", "rootdir"), total_gib=800),
            Storage(name="ceph", type="rbd", content=("images", "rootdir"), total_gib=2000, shared=True),
        ),
        "bridges": tuple(Bridge(name=n, cidr="192.0.2.0/24", gateway="192.0.2.1") for n in ("vmbr0", "vmbr1")),
        "templates": (
            Template(
                name="rocky-9",
                node="pve1",
                vmid=9000,
                image="rocky-9",
                disk_gib=10,
                config={"agent": "enabled=1", "memory": "2048", "cores": 2, "net0": "virtio,bridge=vmbr0"},
            ),
        ),
        "tokens": {ROOT_TOKEN: (Grant(path="/", privileges=("Administrator",)),)},
        "lock_timeout_s": 0.3,
    }
    return World(**values | changes)
