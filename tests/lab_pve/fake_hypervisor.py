"""Guests in memory: remembers what it was asked, answers at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.hypervisor import HypervisorError, Interface, Machine


@dataclass
class FakeGuest:
    image: str
    machine: Machine | None = None
    """As last applied; None while it is off."""


@dataclass
class FakeHypervisor:
    guests: dict[int, FakeGuest] = field(default_factory=dict)
    log: list[tuple[str, int]] = field(default_factory=list)
    agent_up: bool = True
    ignores_shutdown: bool = False
    broken: set[str] = field(default_factory=set)
    """Methods that fail."""
    addresses: dict[str, list[str]] = field(default_factory=dict)
    """By interface name."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def _note(self, what: str, vmid: int) -> None:
        with self.lock:
            self.log.append((what, vmid))
        if what in self.broken:
            raise HypervisorError(f"guest {vmid}: {what} failed")

    def _guest(self, vmid: int) -> FakeGuest:
        if vmid not in self.guests:
            raise HypervisorError(f"guest {vmid}: there is none")
        return self.guests[vmid]

    def create(self, vmid: int, image: str) -> None:
        self._note("create", vmid)
        self.guests[vmid] = FakeGuest(image)

    def start(self, machine: Machine) -> None:
        self._note("start", machine.vmid)
        self._guest(machine.vmid).machine = machine

    def apply(self, machine: Machine) -> None:
        self._note("apply", machine.vmid)
        if not self.running(machine.vmid):
            raise HypervisorError(f"guest {machine.vmid}: not running")
        self._guest(machine.vmid).machine = machine

    def shutdown(self, vmid: int, timeout_s: float) -> bool:
        self._note("shutdown", vmid)
        if not self.ignores_shutdown:
            self._guest(vmid).machine = None
        return not self.ignores_shutdown

    def stop(self, vmid: int) -> None:
        self._note("stop", vmid)
        self._guest(vmid).machine = None

    def delete(self, vmid: int) -> None:
        self._note("delete", vmid)
        self.guests.pop(vmid, None)

    def running(self, vmid: int) -> bool:
        return vmid in self.guests and self.guests[vmid].machine is not None

    def interfaces(self, vmid: int) -> Sequence[Interface] | None:
        machine = self._guest(vmid).machine
        if not self.agent_up or machine is None:
            return None
        found = [Interface(name="lo", mac="00:00:00:00:00:00", addresses=["127.0.0.1/8"])]
        for nic in machine.nics:
            name = f"eth{nic.slot}"
            given = self.addresses.get(name, [f"192.0.2.{machine.vmid % 200 + nic.slot}/24", "fe80::1/64"])
            found.append(Interface(name=name, mac=nic.mac, addresses=given))
        return found

    def machine(self, vmid: int) -> Machine:
        """What the guest runs as now."""
        machine = self._guest(vmid).machine
        assert machine is not None, f"guest {vmid} is off"
        return machine
