"""Docker's packages in real guests: both sets run, and containers outlive the way from one to the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.packages.build import docker_versions
from setup.process import run_quietly
from tests.lab_packages.guests import Guest

pytestmark = pytest.mark.lab

PROGRAMS = """\
docker version --format 'docker-ce {{.Server.Version}}
docker-ce-cli {{.Client.Version}}'
containerd --version | sed -E 's/.* v?([0-9.]+)[^ ]* ?.*$/containerd.io \\1/'
docker buildx version | awk '{print "docker-buildx-plugin", $2}'
docker compose version --short | sed 's/^/docker-compose-plugin /'
"""


def test_containers_outlive_an_upgrade_and_a_downgrade(guest: Guest, published: Path, tmp_path: Path) -> None:
    sets = docker_versions(published)
    older, newer = (sets[name][guest.family.format] for name in ("a", "b"))
    guest.run("mkdir -p /etc/docker && echo '{\"live-restore\": true}' > /etc/docker/daemon.json")
    guest.run(guest.family.add_docker)

    guest.install(older)
    started = "timeout 20 sh -c 'until systemctl is-active -q docker; do sleep 0.5; done'"
    settled = started if guest.family.format == "deb" else "true"
    at_once = guest.try_run(f"{settled}; systemctl is-active docker || true; systemctl is-enabled docker").text.split()
    assert at_once == (["active", "enabled"] if guest.family.format == "deb" else ["inactive", "disabled"])
    guest.run("systemctl enable -q --now docker")
    _has(guest, older)

    container = _run_container(guest, published, tmp_path)
    for versions in (newer, older):
        before = _engine(guest)
        guest.install(versions)
        _has(guest, versions)
        assert _engine(guest) != before
        assert _running(guest) == container
        assert guest.run("docker exec kept echo reached") == "reached"
    guest.run("docker rm -f kept && docker run --rm kept:1 true")


def _has(guest: Guest, versions: dict[str, str]) -> None:
    """The packages are of these versions, and so are the programs that answer."""
    printed = dict(line.split() for line in guest.run(PROGRAMS).splitlines())
    for name, version in versions.items():
        plain = version.partition(":")[2] or version
        ask = f"{guest.family.version} {name}"  # twice: an old engine may lose the output of what ends at once
        assert (guest.run(ask) or guest.run(ask)).endswith(plain)
        assert printed[name].startswith(plain.partition("-")[0]), name


def _run_container(guest: Guest, published: Path, room: Path) -> str:
    package = next((published / "apt" / "debian" / "pool" / "trixie").glob("busybox-static_*.deb"))
    run_quietly(["dpkg-deb", "--extract", str(package), str(room / "busybox")])
    (room / "image" / "bin").mkdir(parents=True)
    next((room / "busybox").glob("**/bin/busybox")).rename(room / "image" / "bin" / "busybox")
    for name in ("sh", "sleep", "echo", "true"):
        (room / "image" / "bin" / name).symlink_to("busybox")
    guest.put(room / "image", "image")
    guest.run("tar -C /srv/image -c . | docker import - kept:1")
    guest.run("docker run -d --name kept --network none kept:1 sleep 1000000")
    return _running(guest)


def _running(guest: Guest) -> str:
    state = guest.run("docker inspect -f '{{.State.Status}} {{.State.Pid}} {{.State.StartedAt}}' kept")
    assert state.startswith("running")
    return state


def _engine(guest: Guest) -> str:
    return guest.run("systemctl show --value -p MainPID docker")
