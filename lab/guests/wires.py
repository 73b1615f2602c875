"""A guest's network cables: veth pairs between a bridge of this machine and `eth<slot>` of the guest."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from lab.hypervisor import Interface, Nic
from lab.identity import Lab
from lab.machine import CommandFailed, ip_batch, run, run_json
from lab.network import Network, devices


class Wires:
    """Plugs and unplugs the NICs of one lab's guests."""

    def __init__(self, lab: Lab, network: Network) -> None:
        """`network` makes the bridges that cables lead to."""
        self._lab = lab
        self._network = network

    def plug(self, vmid: int, pid: int, nics: Sequence[Nic]) -> None:
        """Make the guest's NICs exactly these; cables that are right already are not touched."""
        there = self._wires(vmid)
        macs = _macs_by_slot(pid)
        wanted = {self._lab.wire(vmid, nic.slot): nic for nic in nics}
        for name in there:
            # A cable whose guest end has another MAC, or went with the previous boot, is replaced.
            if name not in wanted or macs.get(wanted[name].slot) != wanted[name].mac.lower():
                with suppress(CommandFailed):
                    run("ip", "link", "delete", name)
                there = [wire for wire in there if wire != name]
        lines: list[str] = []
        for name, nic in wanted.items():
            bridge = self._network.lay(nic.bridge, nic.tag)
            lines += [] if name in there else self._new(vmid, name, nic, pid)
            lines += [f"link set {name} master {bridge}", f"link set {name} {'down' if nic.link_down else 'up'}"]
        ip_batch(lines)

    def unplug(self, vmid: int) -> None:
        """Remove what is left of the cables of a guest that no longer runs."""
        for name in self._wires(vmid):
            with suppress(CommandFailed):
                run("ip", "link", "delete", name)

    def _new(self, vmid: int, name: str, nic: Nic, pid: int) -> list[str]:
        return [
            f"link add {name} type veth peer name eth{nic.slot} address {nic.mac.lower()} netns {pid}",
            f'link set {name} alias "vm={vmid} net{nic.slot} {self._lab.mark}"',
        ]

    def _wires(self, vmid: int) -> list[str]:
        """This machine's ends of the guest's cables that exist now."""
        aliases = ((device["ifname"], device.get("ifalias", "")) for device in devices())
        return [name for name, alias in aliases if alias.startswith(f"vm={vmid} ") and alias.endswith(self._lab.mark)]


def interfaces_of(pid: int) -> list[Interface]:
    """The network interfaces of a running guest, as its agent would list them."""
    return [_interface(device) for device in _devices_inside(pid)]


def _interface(device: dict[str, Any]) -> Interface:
    known = [entry for entry in device.get("addr_info", ()) if entry.get("local")]
    return Interface(
        name=device["ifname"],
        mac=device.get("address", "00:00:00:00:00:00"),
        addresses=tuple(f"{entry['local']}/{entry['prefixlen']}" for entry in known),
    )


def _macs_by_slot(pid: int) -> dict[int, str]:
    """MAC by number of `eth<number>`; a guest may have renamed an interface, and then it counts as missing."""
    named = ((device["ifname"].removeprefix("eth"), device.get("address", "")) for device in _devices_inside(pid))
    return {int(number): mac for number, mac in named if number.isdigit()}


def _devices_inside(pid: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run_json("nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-j", "address", "show")
    return [device for device in found if "ifname" in device]
