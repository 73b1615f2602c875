"""The services of a running lab, as its guests and this machine find them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ed25519

from lab.hypervisor import Machine
from lab.processes import holder_of_port, supervisor_of
from lab.services import recipe
from lab.services.registry import Registry
from lab.services.running import packages_folder
from lab.services.store import ensure_store
from setup.exports import read_exports
from tests.lab_guests.fleet import Fleet, nic, static_v1
from tests.lab_guests.sites import TestLab, make_lab, may_run_guests
from tests.lab_services.sections import GIT, GIT_URL, PACKAGES, REGISTRY, SECTIONS

pytestmark = pytest.mark.lab

NET = "10.94"
AT = f"{NET}.1.1"
RED, BLUE = f"{NET}.1.11", f"{NET}.2.11"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Services:
    """A lab with services, a guest on each of its bridges, and a way into the registry."""

    lab: TestLab
    fleet: Fleet

    def registry(self, method: str, path: str, password: str | None = "", **more: object) -> requests.Response:
        """A call of the registry's API through TLS; the right password unless told another, None for no login."""
        folder = self.lab.site.directory
        password = (
            read_exports(folder / "credentials.env")["HYPERCOMPOSE_REGISTRY_PASSWORD"] if password == "" else password
        )
        session = requests.Session()
        session.trust_env = False
        session.auth = ("lab", password) if password else None
        session.verify = str(folder / "tls" / "ca.crt")
        return session.request(method, f"https://{AT}:5000/v2/{path}", timeout=10, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    if not may_run_guests():
        pytest.skip("guests need root")
    lab = make_lab(tmp_path_factory.mktemp("services"), "labservices", NET, sections=SECTIONS + GIT)
    try:
        lab.command("up")
        yield Services(lab, _with_guests(lab))
    finally:
        lab.command("purge")


def _with_guests(lab: TestLab) -> Fleet:
    folder = lab.site.directory
    host_key = ed25519.Ed25519PrivateKey.generate()
    fleet = Fleet(lab.guests(), folder / "ssh" / "id_ed25519", folder / "known_hosts", host_key)

    def boot(vmid: int, bridge: str, address: str, image: str) -> None:
        device = nic(vmid, 0, bridge)
        network = static_v1({"eth0": (device, f"{address}/24", f"{address.rpartition('.')[0]}.1")})
        seed = fleet.seed(bridge, network)
        fleet.boot(Machine(vmid=vmid, name=bridge, cores=2, memory_mib=512, nics=(device,), seed=seed), image)
        fleet.wait_for_ssh(address)

    fleet.trust(RED, BLUE)
    with ThreadPoolExecutor() as pool:
        list(pool.map(boot, (101, 102), ("red", "blue"), (RED, BLUE), ("rocky-9", "debian-13")))
    return fleet


@pytest.mark.parametrize("guest", [RED, BLUE])
def test_guests_on_every_bridge_know_the_services_by_name(services: Services, guest: str) -> None:
    for name in ("registry", "packages", "git"):
        for spelled in (name, f"{name}.test.internal"):
            assert services.fleet.ssh(guest, f"getent ahostsv4 {spelled}").split()[0] == AT


@pytest.mark.parametrize("guest", [RED, BLUE])
def test_guests_on_every_bridge_get_packages(services: Services, guest: str) -> None:
    key = (packages_folder() / "docker.asc").read_text().strip()
    assert services.fleet.ssh(guest, f"curl -sSf {PACKAGES}/docker.asc") == key
    assert services.fleet.ssh(guest, f"curl -sSf -r 0-9 {PACKAGES}/docker.asc") == key[:10]
    assert (services.lab.site.directory / "packages" / "docker.asc").read_text().strip() == key


@pytest.mark.parametrize("guest", [RED, BLUE])
@pytest.mark.parametrize("url", [f"https://{REGISTRY}/v2/", GIT_URL])
def test_guests_reach_what_has_a_login_by_its_name_and_its_certificate(
    services: Services, guest: str, url: str
) -> None:
    ca = (services.lab.site.directory / "tls" / "ca.crt").read_text()
    trusted = f"cat > ca.crt <<'END'\n{ca}END\ncurl -sS --cacert ca.crt -w '%{{http_code}}' -o /dev/null {url}"
    assert services.fleet.ssh(guest, trusted) == "401"
    refused = services.fleet.try_ssh(guest, f"curl -sS {url}")
    assert refused.returncode == 60 and "certificate" in refused.stderr


@pytest.mark.parametrize(("password", "status"), [(None, 401), ("wrong", 401), ("", 200)])
def test_the_registry_answers_nobody_but_its_user(services: Services, password: str | None, status: int) -> None:
    assert services.registry("GET", "", password).status_code == status
    assert services.registry("GET", "lab/probe/manifests/1", password).status_code == status


def test_every_image_has_its_digest_and_can_be_pulled(services: Services) -> None:
    store = ensure_store(services.fleet.guests.containers._client)
    digests = json.loads((store / "images.json").read_text())
    assert next(iter(digests)) == "lab/probe:1" and {"lab/nginx:1", "lab/postgres:1"} < set(digests)
    for reference, digest in digests.items():
        repository, _, tag = reference.partition(":")
        answer = services.registry("GET", f"{repository}/manifests/{tag}", headers={"Accept": MANIFEST})
        assert answer.headers["Docker-Content-Digest"] == digest
        config = answer.json()["config"]["digest"]
        labels = services.registry("GET", f"{repository}/blobs/{config}").json()["config"]["Labels"]
        made_from = labels["hypercompose.lab.image"].removeprefix("service-")
        assert recipe.reference(made_from) == reference


def test_up_again_leaves_everything_as_it_runs(services: Services) -> None:
    folder = services.lab.site.directory
    before = (supervisor_of(folder), Registry(folder / "services").running_pid())
    began = time.monotonic()
    services.lab.command("up")
    assert time.monotonic() - began < 1
    assert (supervisor_of(folder), Registry(folder / "services").running_pid()) == before


def test_other_packages_than_those_being_served_are_served_after_up(services: Services) -> None:
    folder = services.lab.site.directory
    before, served = supervisor_of(folder), folder / "packages" / "served"
    served.write_text("/of/yesterday")
    services.lab.command("up")
    assert served.read_text() == str(packages_folder()) and supervisor_of(folder) not in (None, before)


def test_status_names_the_services(services: Services) -> None:
    lines = [line.split() for line in services.lab.command("status").stdout.splitlines()]
    assert ["packages", "answers", PACKAGES] in lines
    assert ["registry", "answers", f"https://{REGISTRY}"] in lines


def test_down_takes_the_services_along_and_up_brings_them_back_with_what_was_pushed(services: Services) -> None:
    manifest = services.registry("GET", "lab/probe/manifests/1", headers={"Accept": MANIFEST})
    pushed = services.registry(
        "PUT", "lab/probe/manifests/mine", data=manifest.content, headers={"Content-Type": MANIFEST}
    )
    assert pushed.status_code == 201
    services.lab.command("down")
    assert holder_of_port(5000, AT) is None and holder_of_port(8081, AT) is None
    assert Registry(services.lab.site.directory / "services").running_pid() is None
    services.lab.command("up")
    assert set(services.registry("GET", "lab/probe/tags/list").json()["tags"]) == {"1", "mine"}


def test_a_registry_that_died_or_lost_its_supervisor_is_replaced(services: Services) -> None:
    folder = services.lab.site.directory
    registry = Registry(folder / "services")
    for process in (registry.running_pid, lambda: supervisor_of(folder)):
        victim = process()
        assert victim
        os.kill(victim, signal.SIGKILL)
        time.sleep(0.1)
        services.lab.command("up")
        assert services.registry("GET", "").status_code == 200
    running = subprocess.run(["pgrep", "-fc", f"serve {folder}/services/registry.yml"], capture_output=True, text=True)
    assert running.stdout.strip() == "1"
