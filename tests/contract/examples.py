"""Outputs as a stack tells them."""

from __future__ import annotations

from typing import Any

DIGEST = f"sha256:{'0f' * 32}"


def outputs(**changes: Any) -> dict[str, Any]:
    """Everything that the contract knows; numbers as Pulumi gives them."""
    host = {"address": "10.77.0.11", "port": 22.0, "user": "ops", "host_key": "ssh-ed25519 AAAAC3Nz", "os": "linux"}
    stack = {
        "host": "vm-lab-app-1",
        "commit": "c0ffee" * 6,
        "images": {"web": f"registry.example.com/web@{DIGEST}"},
        "digests": {"web": DIGEST},
        "ports": {"web": 8080.0},
        "urls": {"web": "http://10.77.0.11:8080"},
    }
    return {
        "contract": "1.0",
        "site": "lab",
        "environment": "lab",
        "program": {"version": "0.1.0", "commit": "0123456789ab"},
        "hosts": {"vm-lab-app-1": {**host, "vm_id": 1100.0, "node": "pve1"}, "srv $(reboot)": host},
        "portainers": {"vm-lab-app-1": {"url": "https://10.77.0.11:9443", "user": "admin", "password": "[secret]"}},
        "stacks": {"guestbook": stack},
        "links": {},
        **changes,
    }
