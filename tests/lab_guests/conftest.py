"""One lab with a few guests for all tests of this folder that need real ones."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from lab.hypervisor import Disk, Machine
from tests.lab_guests.fleet import Fleet, dhcp_v2, nic, static_v1
from tests.lab_guests.sites import TestLab, make_lab, may_run_guests

MIB = 1 << 20
STATIC, DHCP, NEIGHBOUR, BARE = 101, 102, 103, 104


@pytest.fixture(scope="session")
def test_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestLab]:
    """A running lab named `labtest`."""
    if not may_run_guests():
        pytest.skip("guests need root")
    lab = make_lab(tmp_path_factory.mktemp("labtest"), "labtest", "10.99")
    try:
        lab.command("up")
        yield lab
    finally:
        lab.command("purge")


@pytest.fixture(scope="session")
def data_disk(test_lab: TestLab) -> Path:
    """Backing file of the static guest's data disk."""
    file = test_lab.site.directory / "data.raw"
    with file.open("wb") as opened:
        opened.truncate(64 * MIB)
    return file


@pytest.fixture(scope="session")
def machines(test_lab: TestLab, fleet_without_guests: Fleet, data_disk: Path) -> dict[int, Machine]:
    """What the guests of the fleet are."""
    red, seed = f"{test_lab.net}.1", fleet_without_guests.seed
    first, neighbour = nic(STATIC, 0, "red"), nic(NEIGHBOUR, 0, "red")
    blue, second = nic(DHCP, 0, "blue"), nic(DHCP, 1, "red")
    return {
        STATIC: Machine(
            vmid=STATIC,
            name="static",
            cores=1,
            memory_mib=384,
            nics=(first,),
            disks=(Disk(slot="scsi1", file=data_disk),),
            seed=seed("static", static_v1({"eth0": (first, f"{red}.11/24", f"{red}.1")})),
        ),
        DHCP: Machine(
            vmid=DHCP,
            name="dynamic",
            cores=2,
            memory_mib=512,
            nics=(blue, second),
            seed=seed("dynamic", dhcp_v2({"eth0": blue, "eth1": second})),
        ),
        NEIGHBOUR: Machine(
            vmid=NEIGHBOUR,
            name="neighbour",
            cores=2,
            memory_mib=512,
            nics=(neighbour,),
            seed=seed("neighbour", static_v1({"eth0": (neighbour, f"{red}.13/24", f"{red}.1")})),
        ),
        BARE: Machine(vmid=BARE, name="bare", cores=2, memory_mib=256, nics=(nic(BARE, 0, "red"),)),
    }


@pytest.fixture(scope="session")
def fleet_without_guests(test_lab: TestLab) -> Fleet:
    """Keys and an SSH client for the lab's guests."""
    folder = test_lab.site.directory
    return Fleet(
        guests=test_lab.guests(),
        user_key=folder / "ssh" / "id_ed25519",
        known_hosts=folder / "known_hosts",
        host_key=ed25519.Ed25519PrivateKey.generate(),
    )


@pytest.fixture(scope="session")
def fleet(test_lab: TestLab, fleet_without_guests: Fleet, machines: dict[int, Machine]) -> Fleet:
    """Four guests, the first three reachable."""
    fleet, net = fleet_without_guests, test_lab.net
    images = {STATIC: "rocky-9", DHCP: "debian-13", NEIGHBOUR: "rocky-9", BARE: "rocky-9"}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda vmid: fleet.boot(machines[vmid], images[vmid]), images))
    fleet.trust(f"{net}.1.11", f"{net}.1.13")
    for address in (f"{net}.1.11", f"{net}.1.13"):
        fleet.wait_for_ssh(address)
    return fleet
