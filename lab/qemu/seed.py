"""What one lab's guest has of its own, unpacked over the root disk at each boot: names, keys, and its network."""

from __future__ import annotations

from dataclasses import dataclass

NAME, USER = "qemu", "ops"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the guest is in its lab."""

    interface: str
    """Address with the length of the network's prefix: `10.77.0.45/24`."""
    gateway: str
    domain: str
    host_key: tuple[bytes, bytes]
    """Private and public half."""
    user_key: bytes
    """Public half of the key that may log in."""


def seed(identity: Identity) -> dict[str, tuple[int, bytes]]:
    """Files of the initramfs by path, each with its mode and content."""
    network = f"ADDRESS={identity.interface}\nGATEWAY={identity.gateway}\n"
    files = {f"seed/files/{path}": file for path, file in _files(identity).items()}
    return {"seed/network": (0o644, network.encode()), **files}


def _files(identity: Identity) -> dict[str, tuple[int, bytes]]:
    resolver = f"search {identity.domain}\nnameserver {identity.gateway}\n"
    hosts = f"127.0.0.1 localhost\n127.0.1.1 {NAME}.{identity.domain} {NAME}\n"
    private, public = identity.host_key
    return {
        "etc/hostname": (0o644, f"{NAME}\n".encode()),
        "etc/hosts": (0o644, hosts.encode()),
        "etc/resolv.conf": (0o644, resolver.encode()),
        "etc/ssh/ssh_host_ed25519_key": (0o600, private),
        "etc/ssh/ssh_host_ed25519_key.pub": (0o644, public + b"\n"),
        f"home/{USER}/.ssh/authorized_keys": (0o600, identity.user_key),
    }
