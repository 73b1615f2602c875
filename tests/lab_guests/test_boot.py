"""Real guests, set up by the real cloud-init from a seed."""

from __future__ import annotations

import ipaddress
import time

import pytest

from lab.hypervisor import Machine
from lab.resolver import dhcp_range
from tests.lab_guests.conftest import BARE, DHCP, STATIC
from tests.lab_guests.fleet import Fleet, without_seed
from tests.lab_guests.sites import TestLab

pytestmark = pytest.mark.lab


def test_the_host_key_is_the_seeds_from_the_first_packet(fleet: Fleet, test_lab: TestLab) -> None:
    address = f"{test_lab.net}.1.11"
    assert fleet.ssh(address, "ls /etc/ssh/ssh_host_*_key") == "/etc/ssh/ssh_host_ed25519_key"


def test_cloud_init_finishes_and_does_what_the_seed_says(fleet: Fleet, test_lab: TestLab) -> None:
    address = f"{test_lab.net}.1.11"
    assert "status: done" in fleet.ssh(address, "cloud-init status --wait")
    assert fleet.ssh(address, "cat /etc/seeded; ls /etc/command-ran").split("\n") == [
        "by cloud-init",
        "/etc/command-ran",
    ]
    assert fleet.ssh(address, "sudo id -u; hostname; hostname -f") == "0\nstatic.test.internal\nstatic.test.internal"
    assert fleet.ssh(address, "systemctl is-system-running --wait") == "running"


def test_a_rocky_guest_looks_like_rocky(fleet: Fleet, test_lab: TestLab) -> None:
    address = f"{test_lab.net}.1.11"
    assert (
        fleet.ssh(address, ". /etc/os-release; echo $ID $VERSION_ID; getent group wheel | cut -d: -f1")
        == "rocky 9.5\nwheel"
    )
    fleet.ssh(
        address, "dnf --quiet repolist && rpm -qa && systemctl is-active sshd && sudo firewall-offline-cmd --version"
    )


def test_nobody_logs_in_as_root(fleet: Fleet, test_lab: TestLab) -> None:
    address = f"{test_lab.net}.1.11"
    settings = fleet.ssh(address, "sudo sshd -T | grep -E '^(permitrootlogin|passwordauthentication)'").lower()
    assert sorted(settings.split("\n")) == ["passwordauthentication no", "permitrootlogin no"]


def test_a_static_address_comes_with_route_and_dns(fleet: Fleet, test_lab: TestLab) -> None:
    address, gateway = f"{test_lab.net}.1.11", f"{test_lab.net}.1.1"
    assert fleet.address(STATIC, "eth0") == f"{address}/24"
    assert f"default via {gateway}" in fleet.ssh(address, "ip route")
    assert f"nameserver {gateway}" in fleet.ssh(address, "cat /etc/resolv.conf")


def test_dhcp_hands_out_the_upper_half_on_each_of_two_nics(fleet: Fleet, test_lab: TestLab) -> None:
    _wait_for_address(fleet, DHCP, "eth1")
    for interface, network in (("eth0", f"{test_lab.net}.2.0/24"), ("eth1", f"{test_lab.net}.1.0/24")):
        first, last = (ipaddress.IPv4Address(one) for one in dhcp_range(network))
        assert first <= ipaddress.IPv4Interface(fleet.address(DHCP, interface)).ip <= last
    address = fleet.address(DHCP, "eth0").partition("/")[0]
    fleet.trust(address)
    assert fleet.ssh(address, ". /etc/os-release; echo $ID $VERSION_ID; hostname") == "debian 13\ndynamic"
    assert "status: done" in fleet.ssh(address, "cloud-init status --wait")


def test_vms_know_each_other_by_name_and_nothing_else(fleet: Fleet, test_lab: TestLab) -> None:
    address = f"{test_lab.net}.1.13"
    assert fleet.ssh(address, "getent hosts static.test.internal").split()[0] == f"{test_lab.net}.1.11"
    assert fleet.try_ssh(address, "timeout 3 getent hosts www.example.org").returncode == 2


def test_a_guest_without_a_seed_has_no_network(fleet: Fleet) -> None:
    deadline = time.monotonic() + 20
    while fleet.guests.interfaces(BARE) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert fleet.address(BARE, "eth0") == ""
    done = fleet.guests.containers.require(BARE).exec_run(["cloud-init", "status"])
    assert b"status: disabled" in done.output


def test_a_seed_that_is_taken_out_is_gone(fleet: Fleet, machines: dict[int, Machine], test_lab: TestLab) -> None:
    fleet.ssh(f"{test_lab.net}.1.11", "cloud-init status --wait")
    fleet.guests.apply(without_seed(machines[STATIC]))
    assert fleet.try_ssh(f"{test_lab.net}.1.11", "sudo ls /var/lib/cloud/seed/nocloud").returncode != 0


def _wait_for_address(fleet: Fleet, vmid: int, interface: str) -> None:
    deadline = time.monotonic() + 30
    while not fleet.address(vmid, interface) and time.monotonic() < deadline:
        time.sleep(0.2)
