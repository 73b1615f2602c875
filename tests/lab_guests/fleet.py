"""Guests for tests: seeds as the product makes them, and SSH that trusts nothing but the key given in the seed."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from lab.guests import Guests
from lab.hypervisor import Machine, Nic

SSH_DEADLINE_S = 40.0


@dataclass(frozen=True)
class Fleet:
    """Makes guests and talks to them."""

    guests: Guests
    user_key: Path
    known_hosts: Path
    host_key: ed25519.Ed25519PrivateKey

    def boot(self, machine: Machine, image: str) -> None:
        """Make and start a guest."""
        self.guests.create(machine.vmid, image)
        self.guests.start(machine)

    def seed(self, name: str, network: object) -> dict[str, bytes]:
        """A NoCloud seed: user `ops`, host key, a file, a command, and this network configuration."""
        private = self.host_key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
        user = {
            "name": "ops",
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "shell": "/bin/bash",
            "ssh_authorized_keys": [self.user_key.with_suffix(".pub").read_text().strip()],
        }
        config = {
            "hostname": name,
            "fqdn": f"{name}.test.internal",
            "users": [user],
            "ssh_deletekeys": True,
            "ssh_keys": {"ed25519_private": private, "ed25519_public": self.public_host_key()},
            "write_files": [{"path": "/etc/seeded", "content": "by cloud-init\n"}],
            "runcmd": [["touch", "/etc/command-ran"]],
        }
        return {
            "user-data": f"#cloud-config\n{yaml.safe_dump(config)}".encode(),
            "meta-data": f"instance-id: {name}-1\n".encode(),
            "network-config": yaml.safe_dump(network).encode(),
        }

    def public_host_key(self) -> str:
        """The host key of all guests, in OpenSSH's format."""
        return self.host_key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def trust(self, *addresses: str) -> None:
        """Pin the host key for these addresses."""
        with self.known_hosts.open("a") as file:
            file.writelines(f"{address} {self.public_host_key()}\n" for address in addresses)

    def try_ssh(self, address: str, command: str, user: str = "ops") -> subprocess.CompletedProcess[str]:
        """Run a command, once."""
        options = {
            "UserKnownHostsFile": self.known_hosts,
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": 2,
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
        }
        flags = [f"-o{name}={value}" for name, value in options.items()]
        line = ["ssh", "-F", "none", *flags, "-i", str(self.user_key), f"{user}@{address}", command]
        return subprocess.run(line, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)

    def ssh(self, address: str, command: str) -> str:
        """What a command printed that must work."""
        done = self.try_ssh(address, command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def wait_for_ssh(self, address: str) -> float:
        """Seconds until the guest accepts SSH."""
        began, last = time.monotonic(), ""
        while time.monotonic() - began < SSH_DEADLINE_S:
            done = self.try_ssh(address, "true")
            if done.returncode == 0:
                return time.monotonic() - began
            last = done.stderr
            time.sleep(0.1)
        raise AssertionError(f"{address}: no SSH within {SSH_DEADLINE_S} s: {last}")

    def address(self, vmid: int, interface: str) -> str:
        """IPv4 address that the agent reports for an interface."""
        found = self.guests.interfaces(vmid) or ()
        known = [one for entry in found if entry.name == interface for one in entry.addresses if ":" not in one]
        return known[0] if known else ""


def nic(vmid: int, slot: int, bridge: str, tag: int | None = None) -> Nic:
    """A NIC whose MAC follows from VM and slot."""
    return Nic(slot=slot, mac=f"BC:24:11:00:{vmid % 256:02X}:{slot:02X}", bridge=bridge, tag=tag)


def static_v1(nics: dict[str, tuple[Nic, str, str | None]]) -> object:
    """Network configuration version 1, as Proxmox writes it: NIC, address with prefix, gateway by interface."""
    config: list[object] = []
    for name, (device, address, gateway) in nics.items():
        subnet = {"type": "static", "address": address} | ({"gateway": gateway} if gateway else {})
        config.append({"type": "physical", "name": name, "mac_address": device.mac.lower(), "subnets": [subnet]})
    gateways = [gateway for _, _, gateway in nics.values() if gateway]
    return {"version": 1, "config": [*config, {"type": "nameserver", "address": gateways, "search": ["test.internal"]}]}


def dhcp_v2(nics: dict[str, Nic]) -> object:
    """Network configuration version 2 with DHCP on each NIC, matched by MAC."""
    ethernets = {
        name: {"match": {"macaddress": device.mac.lower()}, "set-name": name, "dhcp4": True}
        for name, device in nics.items()
    }
    return {"version": 2, "ethernets": ethernets}


def without_seed(machine: Machine) -> Machine:
    """The machine once its seed is out of the drive."""
    return replace(machine, seed=None)
