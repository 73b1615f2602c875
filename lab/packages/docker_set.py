"""Docker's five packages under Docker's own names, filled with the programs of one Debian suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lab.packages import deb, rpm
from lab.packages.debian import Unpacked
from lab.packages.package import Package, place, upstream

SETS = {"a": "trixie", "b": "forky"}
"""Where the programs of each set of versions come from. All run on the guests' tree; the second set is the newer."""
UNITS = Path(__file__).parent / "units"
SOURCES = ("docker.io", "docker-cli", "containerd", "runc", "docker-buildx", "docker-compose")
INIT = "tini"
"""Of the guests' own suite in both sets: a static program, the same for years."""
_RPM_RELEASE, _DEB_RELEASE = "1.el9", "1~debian.13~trixie"
_GROUP = "getent group docker >/dev/null || groupadd --system docker\n"
_PLUGINS = "usr/libexec/docker/cli-plugins"


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One of the five. Its version is that of the first Debian package it is filled from."""

    name: str
    summary: str
    programs: Mapping[str, tuple[str, ...]]
    """Paths in the package by the Debian package they come from; taken from the same folder or from sbin."""
    units: tuple[str, ...] = ()
    epochs: tuple[int, int] = (0, 0)
    """Of the RPM and of the .deb."""
    rpm_requires: tuple[str, ...] = ()
    deb_requires: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()


_PARTS = (
    _Part(
        name="docker-ce",
        summary="Docker: the open-source application container engine",
        programs={"docker.io": ("usr/bin/dockerd", "usr/bin/docker-proxy"), INIT: ("usr/bin/docker-init",)},
        units=("docker.service", "docker.socket"),
        epochs=(3, 5),
        rpm_requires=(
            *("/usr/sbin/groupadd", "docker-ce-cli", "container-selinux >= 2:2.74", "libseccomp >= 2.3", "systemd"),
            *("iptables", "libcgroup", "containerd.io >= 1.4.1", "tar", "xz"),
        ),
        deb_requires=("containerd.io (>= 1.4.1)", "docker-ce-cli", "iptables", "libsystemd0", "libseccomp2"),
        recommends=("docker-buildx-plugin", "docker-compose-plugin"),
    ),
    _Part(
        name="docker-ce-cli",
        summary="Docker CLI",
        programs={"docker-cli": ("usr/bin/docker",)},
        epochs=(1, 5),
        recommends=("docker-buildx-plugin", "docker-compose-plugin"),
    ),
    _Part(
        name="containerd.io",
        summary="An industry-standard container runtime",
        programs={
            "containerd": ("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr"),
            "runc": ("usr/bin/runc",),
        },
        units=("containerd.service",),
        rpm_requires=("container-selinux >= 2:2.74", "libseccomp"),
        deb_requires=("libseccomp2",),
    ),
    _Part(
        name="docker-buildx-plugin",
        summary="Docker Buildx cli plugin",
        programs={"docker-buildx": (f"{_PLUGINS}/docker-buildx",)},
    ),
    _Part(
        name="docker-compose-plugin",
        summary="Docker Compose (V2) plugin for the Docker CLI",
        programs={"docker-compose": (f"{_PLUGINS}/docker-compose",)},
    ),
)


def docker_packages(sources: Mapping[str, Unpacked], room: Path) -> tuple[list[Package], list[Package]]:
    """The set as RPMs and as .debs; their trees are made in `room`."""
    pairs = [_both(part, sources, room / part.name) for part in _PARTS]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _both(part: _Part, sources: Mapping[str, Unpacked], root: Path) -> tuple[Package, Package]:
    version = upstream(sources[next(iter(part.programs))].version)
    _lay_out(part, sources, root)
    rpm_scripts = rpm.keeps_running(*part.units) if part.units else {}
    deb_scripts = deb.starts(*part.units) if part.units else {}
    if "docker.socket" in part.units:  # whose group must be there before it starts
        rpm_scripts["post"] = _GROUP + rpm_scripts["post"]
        deb_scripts["postinst"] = _GROUP + deb_scripts["postinst"]
    common = Package(
        name=part.name,
        version=version,
        release=_RPM_RELEASE,
        epoch=part.epochs[0],
        summary=part.summary,
        root=root,
        requires=part.rpm_requires,
        recommends=part.recommends,
        scripts=rpm_scripts,
    )
    return common, replace(
        common, release=_DEB_RELEASE, epoch=part.epochs[1], requires=part.deb_requires, scripts=deb_scripts
    )


def _lay_out(part: _Part, sources: Mapping[str, Unpacked], root: Path) -> None:
    for source, programs in part.programs.items():
        for program in programs:
            place(_program(sources[source].root, program), root / program)
    for unit in part.units:
        place(UNITS / unit, root / "usr/lib/systemd/system" / unit, mode=0o644)
    if "containerd" in part.programs:
        place(UNITS / "containerd.toml", root / "etc/containerd/config.toml", mode=0o644)


def _program(root: Path, program: str) -> Path:
    """Debian has daemons in sbin, and Docker's init under the name of the program that it is."""
    name = program.replace("docker-init", "tini-static")
    return next(path for path in (root / name.replace("/bin/", "/sbin/"), root / name) if path.is_file())
