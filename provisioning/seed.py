"""The NoCloud seed of a new VM: its users, its addresses, and a one-time host key that we know beforehand."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

VOLUME_ID = "cidata"
"""The label by which cloud-init's NoCloud source finds the disc."""


@dataclass(frozen=True, kw_only=True)
class HostKeyPair:
    """A host key in OpenSSH's formats."""

    private: str
    public: str
    """`ecdsa-sha2-nistp256 AAAA…`, without a comment."""


@dataclass(frozen=True, kw_only=True)
class SeedNic:
    """A network device as cloud-init must configure it; `address` None means DHCP."""

    mac: str
    address: str | None
    """CIDR notation."""
    gateway: str | None


@dataclass(frozen=True, kw_only=True)
class Seed:
    """Everything a VM learns at first boot. Holds no secret but the one-time host key."""

    instance_id: str
    name: str
    domain: str
    user: str
    authorized_keys: Sequence[str]
    nics: Sequence[SeedNic]
    dns: Sequence[str]


def one_time_host_key() -> HostKeyPair:
    """A fresh ECDSA P-256 key: another type than the final key (Ed25519), so that both can be served side by side."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    return HostKeyPair(
        private=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        ).decode(),
        public=key.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode(),
    )


def seed_files(seed: Seed, host_key: HostKeyPair) -> dict[str, bytes]:
    """The three files of a NoCloud seed, by name."""
    return {
        "meta-data": _yaml({"instance-id": seed.instance_id, "local-hostname": seed.name}),
        "user-data": b"#cloud-config\n" + _yaml(user_data(seed, host_key)),
        "network-config": _yaml(network_config(seed)),
    }


def user_data(seed: Seed, host_key: HostKeyPair) -> dict[str, Any]:
    """The cloud-config: one user with sudo and keys, no passwords, our host key and no other."""
    return {
        "hostname": seed.name,
        "fqdn": f"{seed.name}.{seed.domain}",
        "prefer_fqdn_over_hostname": False,
        "locale": False,  # cloud-init reports an error where the locales package is missing
        "disable_root": True,
        "ssh_pwauth": False,
        "users": [
            {
                "name": seed.user,
                "lock_passwd": True,
                "shell": "/bin/bash",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "ssh_authorized_keys": list(seed.authorized_keys),
            }
        ],
        "ssh_deletekeys": True,
        "ssh_keys": {"ecdsa_private": host_key.private, "ecdsa_public": host_key.public},
    }


def network_config(seed: Seed) -> dict[str, Any]:
    """Version 1 of cloud-init's network configuration, devices matched by MAC as Proxmox's own seed does."""
    devices = [
        {
            "type": "physical",
            "name": f"eth{slot}",
            "mac_address": nic.mac.lower(),
            "subnets": [_subnet(nic)],
        }
        for slot, nic in enumerate(seed.nics)
    ]
    servers = {"type": "nameserver", "address": list(seed.dns), "search": [seed.domain]}
    return {"version": 1, "config": [*devices, *([servers] if seed.dns else [])]}


def _subnet(nic: SeedNic) -> dict[str, str]:
    if nic.address is None:
        return {"type": "dhcp4"}
    gateway = {"gateway": nic.gateway} if nic.gateway else {}
    return {"type": "static", "address": nic.address, **gateway}


def iso_image(files: Mapping[str, bytes]) -> bytes:
    """An ISO 9660 image with Joliet and Rock Ridge names, labelled for NoCloud."""
    import pycdlib  # slow to import, and most runs make no seed

    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=VOLUME_ID)
    for number, (name, content) in enumerate(sorted(files.items())):
        iso.add_fp(io.BytesIO(content), len(content), f"/FILE{number}.;1", rr_name=name, joliet_path=f"/{name}")
    image = io.BytesIO()
    iso.write_fp(image)
    iso.close()
    return image.getvalue()


def _yaml(content: Any) -> bytes:
    # through JSON: tuples and enums become plain lists and strings, so that no Python tag can appear
    return yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=False, allow_unicode=True).encode()
