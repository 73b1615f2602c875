"""The site's networks on this machine: one Linux bridge per (bridge, tag), each cut off from all the others."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Collection, Sequence
from itertools import product
from typing import Any

from lab.firewall import allow_within, close_off, open_up
from lab.identity import Lab, lab_of_mark
from lab.machine import CommandFailed, ip_batch, run, run_json, succeeds
from lab.world import Bridge
from setup.report import SetupError


class Network:
    """Makes, finds and removes the bridges of one lab."""

    def __init__(self, lab: Lab, bridges: Sequence[Bridge]) -> None:
        """`bridges` are the site's own; others are laid when a cable leads to them, without an address."""
        self._lab = lab
        self._bridges = bridges
        self._lock = threading.Lock()

    def up(self, ports: Collection[int] = ()) -> None:
        """All bridges of the site, with the gateway's address on this machine; SetupError when an address is taken.

        Guests reach TCP `ports` of this machine.
        """
        self.refuse_foreign_addresses()
        close_off(self._lab, ports)
        for bridge in self._bridges:
            self.lay(bridge.name, None, address=gateway_interface(bridge))

    def lay(self, bridge: str, tag: int | None = None, *, address: str | None = None) -> str:
        """Name of the Linux bridge of a network, made if need be; `address` (CIDR) is this machine's own on it."""
        name = self._lab.bridge_device(bridge, tag)
        with self._lock:
            found = next((device for device in devices() if device["ifname"] == name), None)
            if found is None:
                ip_batch(
                    [
                        f"link add {name} type bridge forward_delay 0",
                        f'link set {name} alias "{self._lab.mark}"',
                        f"link set {name} up",
                    ]
                )
            allow_within(self._lab, name)
            if address and address not in _addresses(found or {}):
                run("ip", "address", "replace", address, "dev", name)
        return name

    def down(self) -> None:
        """Remove the bridges and the packet filter's rules."""
        remove_devices(self._lab)
        open_up(self._lab)

    def refuse_foreign_addresses(self) -> None:
        """SetupError when somebody else on this machine has an address in one of the site's networks."""
        for device in devices():
            owner = lab_of_mark(device.get("ifalias", ""))
            taken = [] if owner == self._lab else _addresses(device)
            for bridge, address in product(self._bridges, taken):
                if ipaddress.ip_interface(address).network.overlaps(ipaddress.ip_network(bridge.cidr)):
                    holder = f"the lab of {owner.directory}" if owner else f"network device {device['ifname']}"
                    remedy = "run `python -m lab down` there" if owner else "change the cidr in the site file"
                    raise SetupError(f"bridge {bridge.name}: {bridge.cidr}: {holder} has {address}; {remedy}.")


def devices() -> list[dict[str, Any]]:
    """Network devices of this machine as `ip -j -d address` shows them."""
    found: list[dict[str, Any]] = run_json("ip", "-j", "-d", "address", "show")
    return [device for device in found if "ifname" in device]


def marked_devices(lab: Lab) -> list[str]:
    """Bridges of a lab that exist now, and cables: the kernel may keep one for minutes after its guest has ended."""
    return [device["ifname"] for device in devices() if device.get("ifalias", "").endswith(lab.mark)]


def remove_devices(lab: Lab) -> None:
    """Remove the bridges and cables of a lab; one that went by itself, or with another lab, is fine."""
    for name in marked_devices(lab):
        succeeds("ip", "link", "delete", name)
    if left := marked_devices(lab):
        raise CommandFailed(f"`ip link delete` left network devices of {lab.directory}: {', '.join(left)}")


def labs_with_bridges() -> set[Lab]:
    """Every lab that has a bridge on this machine."""
    return {owner for device in devices() if (owner := lab_of_mark(device.get("ifalias", "")))}


def gateway_interface(bridge: Bridge) -> str:
    """The gateway's address with the length of the network's prefix: `10.77.0.1/24`."""
    return f"{bridge.gateway}/{ipaddress.ip_network(bridge.cidr).prefixlen}"


def _addresses(device: dict[str, Any]) -> list[str]:
    """IPv4 addresses of a device in CIDR notation."""
    known = device.get("addr_info", ())
    return [f"{entry['local']}/{entry['prefixlen']}" for entry in known if entry.get("family") == "inet"]
