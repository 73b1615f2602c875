"""The hypervisor of the lab: power, devices and limits of guests, and what happens when one ends by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
from docker.errors import DockerException
from docker.models.containers import Container

from lab.guests import disks
from lab.guests.containers import Containers
from lab.guests.files import agent_is_up, let_boot, place_seed
from lab.guests.power import EXIT_REBOOT, POWER_BUTTON, POWER_CUT_AHEAD, chose_to_power_off, ends_within, kill, pid_of
from lab.guests.records import Record, Records
from lab.guests.wires import Wires, interfaces_of
from lab.hypervisor import HypervisorError, Interface, Machine
from lab.identity import Lab
from lab.machine import CommandFailed
from lab.network import Network

STOPPED_TOGETHER = 8


class Guests:
    """Implements `lab.hypervisor.Hypervisor` for one lab."""

    def __init__(self, lab: Lab, client: docker.DockerClient, images: Mapping[str, str], network: Network) -> None:
        """`images` maps the image of a template to its tag; it may be empty where nothing is created."""
        self.containers = Containers(lab, client, images)
        self.records = Records(lab.directory / "guests")
        self.network = network
        self._wires = Wires(lab, network)

    def create(self, vmid: int, image: str) -> None:
        """Make a stopped guest with a fresh root disk from a template image."""
        with self._changing(vmid):
            self.containers.create(vmid, image)

    def start(self, machine: Machine) -> None:
        """Bring the guest up as `machine` says; one that runs is brought to it."""
        with self._changing(machine.vmid):
            container = self.containers.require(machine.vmid)
            if pid_of(container):
                self._apply(machine)
                return
            self.records.put(machine, powered=True)
            self._power_on(container, machine, lambda pid: place_seed(pid, machine.seed))

    def apply(self, machine: Machine) -> None:
        """Bring a running guest to `machine`; of one that is off only the record changes, if there is one."""
        with self._changing(machine.vmid):
            self._apply(machine)

    def shutdown(self, vmid: int, timeout_s: float) -> bool:
        """Press the power button and wait; False when the guest still runs after `timeout_s`."""
        with _named(vmid):
            container = self.containers.find(vmid)
            if container is None:
                return True
            if not ends_within(container, POWER_BUTTON, timeout_s):
                return False
        with self._changing(vmid):
            self._is_off(vmid)
        return True

    def stop(self, vmid: int) -> None:
        """Pull the plug. The root disk stays."""
        with self._changing(vmid):
            self._stop(vmid)

    def delete(self, vmid: int) -> None:
        """Remove the guest and its root disk; data disks are freed, their files stay."""
        with self._changing(vmid):
            self._stop(vmid)
            self.containers.delete(vmid)
            self.records.forget(vmid)

    def running(self, vmid: int) -> bool:
        """Whether the guest runs now; one that is rebooting does."""
        with _named(vmid):
            container = self.containers.find(vmid)
        if container is None:
            return False
        if container.attrs["State"]["Running"]:
            return True
        record = self.records.get(vmid)
        return bool(record and record.powered and container.attrs["State"]["ExitCode"] == EXIT_REBOOT)

    def interfaces(self, vmid: int) -> Sequence[Interface] | None:
        """What the guest agent answers now; None while the agent is not up yet."""
        with _named(vmid):
            container = self.containers.find(vmid)
            pid = pid_of(container) if container else None
        if pid is None or not agent_is_up(pid):
            return None
        with suppress(CommandFailed):  # it ended just now
            return interfaces_of(pid)
        return None

    def ended(self, vmid: int) -> None:
        """React to a guest that has ended: one that rebooted comes up again, one that powered off stays off."""
        with self._changing(vmid):
            record, container = self.records.get(vmid), self.containers.find(vmid)
            if record is None or container is None or pid_of(container):
                return
            if record.powered and container.attrs["State"]["ExitCode"] == EXIT_REBOOT:
                self._power_on(container, record.machine)
            elif record.powered and chose_to_power_off(container):
                self._is_off(vmid)

    def restore(self) -> list[int]:
        """After a restart of the lab: what was on is on again, with its devices. Returns the ids of those started."""
        wanted = [record.machine for record in self.records.all() if record.powered]
        with ThreadPoolExecutor(STOPPED_TOGETHER) as pool:
            return [
                machine.vmid
                for machine, started in zip(wanted, pool.map(self._restored, wanted), strict=True)
                if started
            ]

    def power_site_off(self, timeout_s: float) -> None:
        """Shut every guest down, in the end by force, and remember which of them were on."""
        with ThreadPoolExecutor(STOPPED_TOGETHER) as pool:
            list(pool.map(lambda vmid: self._put_to_sleep(vmid, timeout_s), self.containers.all()))

    def _apply(self, machine: Machine) -> None:
        before = self.records.get(machine.vmid)
        container = self.containers.require(machine.vmid)
        pid = pid_of(container)
        if before is None and pid is None:
            return
        self.records.put(machine, powered=before.powered if before else True)
        if pid is None:
            return
        self.containers.set_limits(container, machine)
        self._plug(machine, pid)
        if machine.seed is None:
            place_seed(pid, None)
        disks.detach(_files(before) - {disk.file for disk in machine.disks})

    def _stop(self, vmid: int) -> None:
        self.records.switched_off(vmid)
        if container := self.containers.find(vmid):
            kill(container)
        self._is_off(vmid)

    def _restored(self, machine: Machine) -> bool:
        with self._changing(machine.vmid):
            container = self.containers.find(machine.vmid)
            if container is None:
                return False
            if pid := pid_of(container):
                self._plug(machine, pid)
                return False
            if chose_to_power_off(container):
                self._is_off(machine.vmid)
                return False
            self._power_on(container, machine)
            return True

    def _put_to_sleep(self, vmid: int, timeout_s: float) -> None:
        container = self.containers.require(vmid)
        was_on = pid_of(container) is not None
        if not ends_within(container, POWER_CUT_AHEAD, timeout_s):
            kill(container)
        with self._changing(vmid):
            self._is_off(vmid)
            if was_on and (record := self.records.get(vmid)):
                self.records.put(record.machine, powered=True)

    def _power_on(self, container: Container, machine: Machine, prepare: Callable[[int], None] | None = None) -> None:
        """Start the guest's init, plug everything in, let it boot; a guest that cannot be completed is killed."""
        self.containers.set_limits(container, machine)
        container.start()
        try:
            pid = pid_of(container)
            if pid is None:
                raise HypervisorError(f"VM {machine.vmid}: ended at once: {container.logs(tail=3).decode().strip()}")
            self._plug(machine, pid)
            if prepare:
                prepare(pid)
            let_boot(pid)
        except BaseException:
            kill(container)
            raise

    def _plug(self, machine: Machine, pid: int) -> None:
        self._wires.plug(machine.vmid, pid, machine.nics)
        disks.plug(pid, machine.disks)

    def _is_off(self, vmid: int) -> None:
        """Note that a guest is off, and free its devices."""
        self.records.switched_off(vmid)
        self._wires.unplug(vmid)
        disks.detach(_files(self.records.get(vmid)))

    @contextmanager
    def _changing(self, vmid: int) -> Iterator[None]:
        """One change of a guest at a time, whoever asks for it."""
        with _named(vmid), self.records.exclusively(vmid):
            yield


@contextmanager
def _named(vmid: int) -> Iterator[None]:
    """What the machine or the engine refuses becomes a HypervisorError that names the VM."""
    try:
        yield
    except (CommandFailed, DockerException, OSError) as error:
        raise HypervisorError(f"VM {vmid}: {error}") from error


def _files(record: Record | None) -> set[Path]:
    return {disk.file for disk in record.machine.disks} if record else set()
