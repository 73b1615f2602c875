"""One lab with a guest of each family, for all tests of this folder that need real ones."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from lab import dockerd
from lab.hypervisor import Machine
from lab.packages.build import ensure_packages
from tests.lab_guests.fleet import Fleet, nic, static_v1
from tests.lab_guests.sites import TestLab, make_lab, may_run_guests
from tests.lab_packages.guests import APT, DNF, Family, Guest

NET = "10.91"
SECTIONS = "docker: {versions: {}}\n"
FAMILIES = {101: DNF, 102: APT}


@pytest.fixture(scope="session")
def published() -> Path:
    """What the package server serves."""
    if not may_run_guests():
        pytest.skip("the guests' tree needs root")
    return ensure_packages()


@pytest.fixture(scope="session")
def package_lab(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestLab]:
    """A running lab named `labpackages`."""
    lab = make_lab(tmp_path_factory.mktemp("labpackages"), "labpackages", NET, sections=SECTIONS)
    try:
        lab.command("up")
        yield lab
    finally:
        lab.command("purge")


@pytest.fixture(scope="session")
def both(package_lab: TestLab) -> dict[str, Guest]:
    """A guest by the format of its packages."""
    folder = package_lab.site.directory
    fleet = Fleet(
        package_lab.guests(),
        folder / "ssh" / "id_ed25519",
        folder / "known_hosts",
        ed25519.Ed25519PrivateKey.generate(),
    )
    fleet.trust(*map(_address, FAMILIES))
    with ThreadPoolExecutor() as pool:
        guests = pool.map(lambda vmid: _boot(package_lab, fleet, vmid), FAMILIES)
        return {guest.family.format: guest for guest in guests}


@pytest.fixture(params=["rpm", "deb"])
def guest(request: pytest.FixtureRequest, both: dict[str, Guest]) -> Guest:
    """Each of the two, one after the other."""
    return both[request.param]


def _boot(lab: TestLab, fleet: Fleet, vmid: int) -> Guest:
    family, device = FAMILIES[vmid], nic(vmid, 0, "red")
    network = static_v1({"eth0": (device, f"{_address(vmid)}/24", f"{NET}.1.1")})
    seed = fleet.seed(_name(family), network)
    machine = Machine(vmid=vmid, name=_name(family), cores=2, memory_mib=1024, nics=(device,), seed=seed)
    fleet.boot(machine, family.image)
    fleet.wait_for_ssh(_address(vmid))
    return Guest(family, dockerd.connect().containers.get(lab.site.lab.container(vmid)))


def _name(family: Family) -> str:
    return family.image.partition("-")[0]


def _address(vmid: int) -> str:
    return f"{NET}.1.{vmid}"
