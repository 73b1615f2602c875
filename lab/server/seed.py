"""What cloud-init makes of the existing server: `ops` with the lab's key, a host key known outside, Carol's things."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519

from lab.keys import openssh_pair

FOLDER = Path(__file__).parent
THINGS = FOLDER / "things"
"""Carol's files, where they are on the server."""
SETTLE = "/run/settle"


def seed(name: str, domain: str, user_key: str, host_key: tuple[bytes, bytes], network: object) -> dict[str, bytes]:
    """Files of the server's NoCloud volume; `host_key` is private and public."""
    config: dict[str, Any] = {
        "hostname": name,
        "fqdn": f"{name}.{domain}",
        "users": list(_users(user_key)),
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key[0].decode(), "ed25519_public": host_key[1].decode()},
        "write_files": [*_things(), {"path": SETTLE, "content": (FOLDER / "settle").read_text()}],
        "runcmd": [["sh", SETTLE]],
    }
    return {
        "user-data": f"#cloud-config\n{yaml.safe_dump(config)}".encode(),
        "meta-data": f"instance-id: {name}\n".encode(),
        "network-config": yaml.safe_dump(network).encode(),
    }


def _users(user_key: str) -> Iterator[dict[str, Any]]:
    common = {"shell": "/bin/bash", "lock_passwd": True}
    yield {"name": "ops", "sudo": "ALL=(ALL) NOPASSWD:ALL", "ssh_authorized_keys": [user_key], **common}
    carols = openssh_pair(ed25519.Ed25519PrivateKey.generate())[1].decode()  # whose other half nobody has
    yield {"name": "carol", "gecos": "Carol", "ssh_authorized_keys": [f"{carols} carol@example.com"], **common}


def _things() -> Iterator[dict[str, str]]:
    for file in sorted(THINGS.rglob("*")):
        if file.is_file():
            yield {"path": f"/{file.relative_to(THINGS)}", "content": file.read_text(), "permissions": "0644"}
