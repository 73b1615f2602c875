"""What packages say, without building any."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.packages import base_set, docker_set
from lab.packages.deb import control, starts
from lab.packages.debian import Unpacked
from lab.packages.docker_set import docker_packages
from lab.packages.package import Package, upstream
from lab.packages.rpm import keeps_running, spec

VERSIONS = {
    "docker.io": "26.1.5+dfsg1-9+deb13u1+b1",
    "docker-cli": "26.1.5+dfsg1-9+deb13u1+b1",
    "containerd": "1.7.24~ds1-6+deb13u1",
    "runc": "1.1.15+ds1-2+b4",
    "docker-buildx": "0.13.1+ds1-3",
    "docker-compose": "2.26.1-4",
    docker_set.INIT: "0.19.0-3+b8",
}
PROGRAMS = {
    "docker.io": ("usr/sbin/dockerd", "usr/sbin/docker-proxy"),
    "docker-cli": ("usr/bin/docker",),
    "containerd": ("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr"),
    "runc": ("usr/sbin/runc",),
    "docker-buildx": ("usr/libexec/docker/cli-plugins/docker-buildx",),
    "docker-compose": ("usr/libexec/docker/cli-plugins/docker-compose",),
    docker_set.INIT: ("usr/bin/tini", "usr/bin/tini-static"),
}


@pytest.fixture
def docker(tmp_path: Path) -> tuple[dict[str, Package], dict[str, Package]]:
    """Docker's packages from empty programs, as RPMs and as .debs, by name."""
    sources = {name: Unpacked(version, tmp_path / name) for name, version in VERSIONS.items()}
    for name, programs in PROGRAMS.items():
        for program in programs:
            (tmp_path / name / program).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / program).write_text(program)
    rpms, debs = docker_packages(sources, tmp_path / "room")
    return {package.name: package for package in rpms}, {package.name: package for package in debs}


@pytest.mark.parametrize(
    ("debian", "expected"),
    [(version, version.split("-")[0].split("+")[0].split("~")[0]) for version in VERSIONS.values()]
    + [("1:1.37.0-6", "1.37.0")],
)
def test_a_version_is_the_programs_own(debian: str, expected: str) -> None:
    assert upstream(debian) == expected


def test_versions_have_dockers_epochs_and_releases(docker: tuple[dict[str, Package], dict[str, Package]]) -> None:
    rpms, debs = ({name: package.evr for name, package in packages.items()} for packages in docker)
    assert rpms == {
        "docker-ce": "3:26.1.5-1.el9",
        "docker-ce-cli": "1:26.1.5-1.el9",
        "containerd.io": "1.7.24-1.el9",
        "docker-buildx-plugin": "0.13.1-1.el9",
        "docker-compose-plugin": "2.26.1-1.el9",
    }
    assert debs["docker-ce"] == "5:26.1.5-1~debian.13~trixie"
    assert debs["containerd.io"] == "1.7.24-1~debian.13~trixie"
    assert debs.keys() == rpms.keys()


def test_programs_are_where_docker_has_them(docker: tuple[dict[str, Package], dict[str, Package]]) -> None:
    assert docker[0]["docker-ce"].files() == [
        "/usr/bin/docker-init",
        "/usr/bin/docker-proxy",
        "/usr/bin/dockerd",
        "/usr/lib/systemd/system/docker.service",
        "/usr/lib/systemd/system/docker.socket",
    ]
    root = docker[0]["docker-ce"].root
    assert root and (root / "usr/bin/docker-init").read_text() == "usr/bin/tini-static"


def test_a_spec_names_everything_it_holds(docker: tuple[dict[str, Package], dict[str, Package]]) -> None:
    lines = spec(docker[0]["containerd.io"]).splitlines()
    assert {"Name: containerd.io", "Version: 1.7.24", "Release: 1.el9", "AutoReqProv: no"} <= set(lines)
    assert "Requires: container-selinux >= 2:2.74" in lines
    assert lines[lines.index("%files") + 2 :] == [
        "%config(noreplace) /etc/containerd/config.toml",
        "/usr/bin/containerd",
        "/usr/bin/containerd-shim-runc-v2",
        "/usr/bin/ctr",
        "/usr/bin/runc",
        "/usr/lib/systemd/system/containerd.service",
    ]
    assert not any(line.startswith("Epoch") for line in lines)


def test_a_control_file_has_no_empty_field(docker: tuple[dict[str, Package], dict[str, Package]]) -> None:
    text = control(docker[1]["docker-ce"], "amd64")
    assert "Version: 5:26.1.5-1~debian.13~trixie\nArchitecture: amd64\n" in text
    assert "Depends: containerd.io (>= 1.4.1), docker-ce-cli, iptables, libsystemd0, libseccomp2\n" in text
    assert all(line.partition(": ")[2] for line in text.splitlines())


def test_an_rpm_starts_nothing_and_a_deb_starts_all(docker: tuple[dict[str, Package], dict[str, Package]]) -> None:
    rpm, deb = (packages["docker-ce"].scripts for packages in docker)
    assert not any(word in rpm["post"] for word in ("enable", " start", "restart"))
    assert rpm["postun"].startswith("[ $1 -lt 1 ] || ") and "needs-restart" in rpm["postun"]
    assert "action=restart; else action=start" in deb["postinst"]
    for script in (rpm["post"], deb["postinst"]):  # before the socket that belongs to it
        assert script.startswith("getent group docker >/dev/null || groupadd --system docker\n")


def test_services_are_told_by_name() -> None:
    assert "disable --now a.service b.timer " in keeps_running("a.service", "b.timer")["preun"]
    assert "for unit in a.service b.timer; do" in starts("a.service", "b.timer")["postinst"]


def test_a_stand_in_says_that_it_is_one_and_holds_nothing() -> None:
    plain, epoch = base_set.stand_ins("# a comment\n\nbash - /bin/sh /bin/bash\ncontainer-selinux 2:2.232.1\n")
    assert (plain.evr, plain.provides, plain.files()) == ("9.5-0.standin.el9", ("/bin/sh", "/bin/bash"), [])
    assert epoch.evr == "2:2.232.1-0.standin.el9"
    assert "Stand-in" in spec(plain)


def test_no_real_package_is_a_stand_in_too(docker: tuple[dict[str, Package], dict[str, Package]]) -> None:
    names = [package.name for package in base_set.stand_ins(base_set.STAND_INS.read_text())]
    real = {"tree", "jq", "oniguruma", "logrotate", "dnf-automatic", "dnf-plugins-core", "python3-dateutil"}
    assert len(names) == len(set(names))
    assert not {*docker[0], *real} & set(names)


def test_what_docker_needs_is_in_the_base(docker: tuple[dict[str, Package], dict[str, Package]]) -> None:
    stand_ins = base_set.stand_ins(base_set.STAND_INS.read_text())
    there = {name for package in stand_ins for name in (package.name, *package.provides)} | {*docker[0]}
    needed = {need.split()[0] for package in docker[0].values() for need in package.requires}
    assert needed <= there
