"""Networks, disks and limits of real guests."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lab.hypervisor import Disk, Machine
from tests.lab_guests.conftest import DHCP, MIB, NEIGHBOUR, STATIC
from tests.lab_guests.fleet import Fleet, nic, without_seed
from tests.lab_guests.sites import TestLab

pytestmark = pytest.mark.lab

DISK = "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1"


def test_vms_of_one_bridge_reach_each_other_and_no_other_bridge(fleet: Fleet, test_lab: TestLab) -> None:
    here, neighbour = f"{test_lab.net}.1.11", f"{test_lab.net}.1.13"
    elsewhere = fleet.address(DHCP, "eth0").partition("/")[0]
    assert elsewhere.startswith(f"{test_lab.net}.2.")
    assert fleet.try_ssh(here, f"ping -c1 -W2 {neighbour}").returncode == 0
    assert fleet.try_ssh(here, f"ping -c1 -W1 {elsewhere}").returncode != 0
    assert fleet.try_ssh(here, f"timeout 1 bash -c 'echo > /dev/tcp/{elsewhere}/22'").returncode != 0


def test_a_tagged_nic_is_on_another_network(fleet: Fleet, machines: dict[int, Machine], test_lab: TestLab) -> None:
    neighbour, here = machines[NEIGHBOUR], f"{test_lab.net}.1.11"
    fleet.guests.apply(replace(without_seed(neighbour), nics=(nic(NEIGHBOUR, 0, "red", tag=40),)))
    assert fleet.try_ssh(here, f"ping -c1 -W1 {test_lab.net}.1.13").returncode != 0
    fleet.guests.apply(without_seed(neighbour))
    assert fleet.try_ssh(here, f"ping -c2 -W2 {test_lab.net}.1.13").returncode == 0


def test_nics_are_plugged_and_unplugged_while_it_runs(fleet: Fleet, machines: dict[int, Machine]) -> None:
    neighbour = without_seed(machines[NEIGHBOUR])
    fleet.guests.apply(replace(neighbour, nics=(*neighbour.nics, nic(NEIGHBOUR, 1, "blue"))))
    assert {found.name for found in fleet.guests.interfaces(NEIGHBOUR) or ()} == {"lo", "eth0", "eth1"}
    fleet.guests.apply(neighbour)
    assert {found.name for found in fleet.guests.interfaces(NEIGHBOUR) or ()} == {"lo", "eth0"}


def test_cores_and_memory_limit_the_guest(fleet: Fleet, machines: dict[int, Machine], test_lab: TestLab) -> None:
    address, machine = f"{test_lab.net}.1.11", without_seed(machines[STATIC])
    assert fleet.ssh(address, "nproc") == "1"
    limit = fleet.guests.containers.require(STATIC).attrs["HostConfig"]["Memory"]
    assert limit == machine.memory_mib * MIB
    fleet.guests.apply(replace(machine, memory_mib=448))
    assert fleet.guests.containers.require(STATIC).attrs["HostConfig"]["Memory"] == 448 * MIB


def test_a_data_disk_grows_while_mounted(
    fleet: Fleet, machines: dict[int, Machine], test_lab: TestLab, data_disk: Path
) -> None:
    address = f"{test_lab.net}.1.11"
    fleet.ssh(address, f"sudo mkfs.ext4 -q {DISK} && sudo mount {DISK} /mnt && echo kept | sudo tee /mnt/file")
    os.truncate(data_disk, 96 * MIB)
    fleet.guests.apply(without_seed(machines[STATIC]))
    assert fleet.ssh(address, f"sudo blockdev --getsize64 {DISK}") == str(96 * MIB)
    fleet.ssh(address, f"sudo resize2fs {DISK}")
    assert int(fleet.ssh(address, "df --output=size -m /mnt | tail -1")) > 80
    assert fleet.ssh(address, "cat /mnt/file && sudo umount /mnt") == "kept"


def test_a_data_disk_outlives_its_guest(fleet: Fleet, machines: dict[int, Machine], data_disk: Path) -> None:
    before, after = replace(machines[NEIGHBOUR], vmid=105, nics=()), replace(machines[NEIGHBOUR], vmid=106, nics=())
    disk = data_disk.with_name("moved.raw")
    disk.touch()
    os.truncate(disk, 32 * MIB)
    for machine, command in (
        (before, f"mkfs.ext4 -q {DISK} && mount {DISK} /mnt && echo kept > /mnt/file"),
        (after, f"mount {DISK} /mnt && grep kept /mnt/file"),
    ):
        fleet.boot(replace(machine, disks=(Disk(slot="scsi1", file=disk),)), "debian-13")
        done = fleet.guests.containers.require(machine.vmid).exec_run(["sh", "-c", command])
        assert done.exit_code == 0, done.output
        fleet.guests.delete(machine.vmid)
        assert not fleet.guests.running(machine.vmid)


def test_a_time_zone_inside_leaves_the_clock_outside(fleet: Fleet, test_lab: TestLab) -> None:
    before = time.time() - time.monotonic()
    fleet.ssh(f"{test_lab.net}.1.11", "sudo timedatectl set-timezone Asia/Tokyo")
    assert fleet.ssh(f"{test_lab.net}.1.11", "date +%Z") == "JST"
    assert abs((time.time() - time.monotonic()) - before) < 2
