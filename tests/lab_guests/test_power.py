"""Power of real guests: from outside, from inside, and across the death of the lab's own processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from lab import dockerd
from lab.hypervisor import Machine
from lab.network import marked_devices, remove_devices
from lab.processes import supervisor_of
from lab.resolver import Resolver
from tests.lab_guests.conftest import NEIGHBOUR, STATIC
from tests.lab_guests.fleet import Fleet
from tests.lab_guests.sites import TestLab

pytestmark = pytest.mark.lab

BOOT = "stat -c %y /run/hypervisor/plugged"


@pytest.fixture(scope="module")
def switched_off(fleet: Fleet) -> int:
    """A guest that has powered itself off."""
    vmid, guests = 107, fleet.guests
    fleet.boot(Machine(vmid=vmid, name="off", cores=2, memory_mib=256), "debian-13")
    _wait_until(lambda: guests.interfaces(vmid) is not None)
    guests.containers.require(vmid).exec_run(["systemctl", "poweroff"])
    _wait_until(lambda: not guests.running(vmid))
    return vmid


def test_a_killed_supervisor_leaves_guests_alone_and_up_replaces_it(fleet: Fleet, test_lab: TestLab) -> None:
    address = f"{test_lab.net}.1.13"
    boot = fleet.ssh(address, BOOT)
    killed = _kill_supervisor(test_lab)
    test_lab.command("up")
    assert supervisor_of(test_lab.site.directory) not in (None, killed)
    assert fleet.ssh(address, BOOT) == boot


def test_reboot_inside_comes_up_again_with_its_devices(fleet: Fleet, test_lab: TestLab) -> None:
    address = f"{test_lab.net}.1.11"
    boot = fleet.ssh(address, BOOT)
    fleet.try_ssh(address, "sudo reboot")
    _wait_until(lambda: fleet.guests.running(STATIC) and fleet.try_ssh(address, BOOT).stdout.strip() not in ("", boot))
    fleet.ssh(address, "test -b /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1 && hostname")


def test_poweroff_inside_stays_off(fleet: Fleet, switched_off: int) -> None:
    time.sleep(0.5)  # longer than the supervisor takes to start a guest again
    record = fleet.guests.records.get(switched_off)
    assert not fleet.guests.running(switched_off) and record and not record.powered


def test_shutdown_and_stop_from_outside(fleet: Fleet, test_lab: TestLab) -> None:
    record = fleet.guests.records.get(NEIGHBOUR)
    assert record
    assert fleet.guests.shutdown(NEIGHBOUR, 20) and not fleet.guests.running(NEIGHBOUR)
    assert fleet.guests.shutdown(NEIGHBOUR, 0.1)
    fleet.guests.start(record.machine)
    fleet.wait_for_ssh(f"{test_lab.net}.1.13")
    fleet.guests.stop(NEIGHBOUR)
    assert not fleet.guests.running(NEIGHBOUR)
    fleet.guests.start(record.machine)


def test_after_a_crash_of_everything_up_restores_what_was_on(
    fleet: Fleet, test_lab: TestLab, switched_off: int
) -> None:
    _kill_supervisor(test_lab)
    Resolver(test_lab.site.lab, (), "").end_leftover()
    for vmid in (STATIC, NEIGHBOUR):
        fleet.guests.containers.require(vmid).kill()
    remove_devices(test_lab.site.lab)
    test_lab.command("up")
    for address in (f"{test_lab.net}.1.11", f"{test_lab.net}.1.13"):
        fleet.wait_for_ssh(address)
    assert not fleet.guests.running(switched_off)


def test_down_then_up_is_as_it_was(fleet: Fleet, test_lab: TestLab, switched_off: int) -> None:
    test_lab.command("down")
    if dockerd.find():  # it ends with the last lab of the machine
        assert not any(fleet.guests.running(vmid) for vmid in (STATIC, NEIGHBOUR))
    assert marked_devices(test_lab.site.lab) == []
    test_lab.command("up")
    fleet.wait_for_ssh(f"{test_lab.net}.1.11")
    rows = [line.split() for line in test_lab.command("status").stdout.splitlines()]
    assert [row[2] for row in rows if row[:2] in (["101", "static"], [str(switched_off), "off"])] == [
        "running",
        "stopped",
    ]


def _wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _kill_supervisor(lab: TestLab) -> int:
    pid = supervisor_of(lab.site.directory)
    assert pid
    os.kill(pid, signal.SIGKILL)
    while supervisor_of(lab.site.directory) == pid:
        time.sleep(0.02)
    return pid
