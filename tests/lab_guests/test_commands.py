"""The lab's commands beside other things on the machine: strangers are left alone, other labs are named."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from lab import dockerd
from lab.images.build import ensure_images
from lab.leftovers import known_labs
from lab.machine import run
from lab.network import marked_devices
from lab.processes import supervisor_of
from tests.lab_guests.sites import TestLab, make_lab, may_run_guests

pytestmark = pytest.mark.lab

RULE = ("FORWARD", "-i", "hcstranger", "-j", "ACCEPT", "-m", "comment", "--comment", "not a lab's")


@pytest.fixture
def small_lab(tmp_path: Path) -> Iterator[TestLab]:
    """A lab of its own, down at first."""
    if not may_run_guests():
        pytest.skip("guests need root")
    lab = make_lab(tmp_path, "labtest2", "10.98")
    yield lab
    lab.command("purge")


@pytest.fixture(scope="module")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestLab]:
    """A lab that is up, for tests that do not change it."""
    if not may_run_guests():
        pytest.skip("guests need root")
    lab = make_lab(tmp_path_factory.mktemp("running"), "labtest4", "10.97")
    lab.command("up")
    yield lab
    lab.command("purge")


@pytest.fixture
def stranger(small_lab: TestLab) -> Iterator[str]:
    """A container, a volume, a bridge and a rule that look like a lab's but carry no label."""
    client = dockerd.connect()
    name = small_lab.site.lab.container(100)
    image = ensure_images(client)["rocky-9"]
    container = client.containers.run(image, ["sleep", "600"], name=name, detach=True, network_mode="none")
    volume = client.volumes.create(small_lab.site.lab.volume(100))
    run("ip", "link", "add", "hcstranger", "type", "bridge")
    run("iptables", "-w", "-A", *RULE)
    yield name
    run("iptables", "-w", "-D", *RULE)
    run("ip", "link", "delete", "hcstranger")
    container.remove(force=True)
    volume.remove()


def test_what_carries_no_label_of_the_lab_survives_everything(small_lab: TestLab, stranger: str) -> None:
    for command in ("up", "down", "up", "purge"):
        small_lab.command(command)
    client = dockerd.connect()
    assert client.containers.get(stranger).status == "running"
    assert client.volumes.get(small_lab.site.lab.volume(100))
    run("ip", "link", "show", "hcstranger")
    run("iptables", "-w", "-C", *RULE)


def test_purge_leaves_nothing_of_the_lab(small_lab: TestLab) -> None:
    small_lab.command("up")
    guests = small_lab.guests()
    guests.create(100, "debian-13")
    small_lab.command("purge")
    lab = small_lab.site.lab
    assert not lab.directory.exists() and not marked_devices(lab) and supervisor_of(lab.directory) is None
    assert lab not in known_labs(dockerd.connect())
    assert lab.chain not in run("iptables", "-w", "-S")


def test_up_twice_changes_nothing(running_lab: TestLab) -> None:
    pid = supervisor_of(running_lab.site.directory)
    credentials = (running_lab.site.directory / "credentials.env").read_text()
    running_lab.command("up")
    assert supervisor_of(running_lab.site.directory) == pid
    assert (running_lab.site.directory / "credentials.env").read_text() == credentials


def test_the_api_answers_with_the_labs_certificate_and_token(running_lab: TestLab) -> None:
    folder = running_lab.site.directory
    given = dict(line.removeprefix("export ").split("=", 1) for line in (folder / "credentials.env").open())
    assert (folder / "credentials.env").stat().st_mode & 0o777 == 0o600
    token = given["PROXMOX_VE_API_TOKEN"].strip().strip("'")
    bundle = given["SSL_CERT_FILE"].strip().strip("'")
    url = f"{running_lab.site.endpoint}/api2/json/version"
    answer = requests.get(url, headers={"Authorization": f"PVEAPIToken={token}"}, verify=bundle, timeout=5)
    assert answer.json()["data"]["version"]


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        other = make_lab(tmp_path, "labtest3", "10.96", port)
        done = other.command("up", check=False)
        other.command("purge")
    assert done.returncode == 1
    assert f"port {port}:" in done.stderr and "listens there" in done.stderr


def test_a_taken_network_names_the_lab_that_has_it(tmp_path: Path, running_lab: TestLab) -> None:
    other = make_lab(tmp_path, "labtest3", "10.97")
    done = other.command("up", check=False)
    other.command("purge")
    assert done.returncode == 1 and f"the lab of {running_lab.site.directory}" in done.stderr


def test_a_second_lab_of_the_same_site_is_refused_by_name(tmp_path: Path, running_lab: TestLab) -> None:
    other = make_lab(tmp_path, "labtest4", "10.96")
    done = other.command("up", check=False)
    assert done.returncode == 1 and f"the lab of {running_lab.site.directory} has this id" in done.stderr


def test_a_lab_whose_folder_is_gone_is_cleared_away(tmp_path: Path, small_lab: TestLab) -> None:
    small_lab.command("up")
    small_lab.guests().create(100, "debian-13")
    lost = small_lab.site.lab
    shutil.rmtree(lost.directory)
    successor = make_lab(tmp_path / "successor", "labtest2", "10.98")
    successor.command("up")
    client = dockerd.connect()
    assert supervisor_of(lost.directory) is None and lost not in known_labs(client)
    assert not marked_devices(lost)
    successor.command("purge")
