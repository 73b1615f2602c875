"""The distribution's own packages: a few real programs that the guests' tree lacks, and stand-ins for what it has."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from lab.packages import cifs, rpm
from lab.packages.debian import Unpacked
from lab.packages.docker_set import UNITS
from lab.packages.package import Package, place, upstream

SOURCES = ("tree", "jq", "libjq1", "libonig5", "dnf-data", "dnf-plugins-core", "python3-dateutil", "logrotate")
"""Debian packages that RPMs are filled from."""
DEBS = ("tree", "jq", "logrotate", "unattended-upgrades", "busybox-static")
"""What apt in a guest can install, with all that it needs beyond the tree."""
SECURITY_RELEASE = "2.el9"
_UPDATEINFO = """\
<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update from="lab" status="final" type="security" version="1">
    <id>RLSA-2025:0001</id>
    <title>Important: tree security update</title>
    <severity>Important</severity>
    <issued date="2025-01-01 00:00:00"/>
    <updated date="2025-01-01 00:00:00"/>
    <description>A made-up advisory, so that update policies have something to choose.</description>
    <pkglist><collection short="base"><name>base</name>
      <package name="tree" version="{version}" release="{release}" epoch="0" arch="{arch}" src="tree.src.rpm">
        <filename>tree-{version}-{release}.{arch}.rpm</filename>
      </package>
    </collection></pkglist>
  </update>
</updates>
"""
STAND_INS = Path(__file__).parent / "stand-ins.txt"
_NO_FILES = (
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/locale/",
    "usr/share/lintian/",
    "usr/share/bash-completion/",
)
_VERSIONLOCK = ("dnf-plugins/versionlock.py", "etc/dnf/plugins/versionlock.")
_NO_PLUGINS = ("/local.", "system_upgrade", "system-upgrade")
"""`local` would cache every package that it sees; an upgrade to the next release has no meaning here."""
_DNF_UNITS = tuple(f"dnf-automatic{kind}.{unit}" for kind in ("", "-install") for unit in ("service", "timer"))
_RELEASE = "1.el9"


def base_rpms(sources: Mapping[str, Unpacked], room: Path) -> list[Package]:
    """Packages of Rocky's base as this lab has it; their trees are made in `room`."""
    tree = _repacked(sources["tree"], room, name="tree", summary="File system tree viewer")
    return [
        tree,
        replace(tree, release=SECURITY_RELEASE),
        _repacked(sources["libonig5"], room, name="oniguruma", summary="Regular expressions library"),
        _jq(sources, room),
        _repacked(sources["logrotate"], room, name="logrotate", summary="Rotates, compresses, removes log files"),
        _automatic(sources["dnf-data"], room),
        *_dnf_plugins(sources, room),
        cifs.for_dnf(room / "cifs-utils"),
        *stand_ins(STAND_INS.read_text()),
        release_package(),
    ]


def updateinfo(tree: Package) -> str:
    """Advisories: the newer release of `tree` repairs something."""
    return _UPDATEINFO.format(version=tree.version, release=SECURITY_RELEASE, arch=platform.machine())


def release_package() -> Package:
    """What tells dnf the version of the distribution."""
    return Package(
        name="rocky-release",
        version="9.5",
        release=_RELEASE,
        summary="Rocky Linux release (stand-in)",
        provides=("system-release(releasever) = 9", "system-release = 9.5", "rocky-repos", "rocky-gpg-keys"),
    )


def stand_ins(text: str) -> list[Package]:
    """Packages without files from lines of `name, version or -, what it provides`."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [_stand_in(name, *rest) for name, *rest in lines]


def _stand_in(name: str, version: str = "-", *provides: str) -> Package:
    epoch, _, plain = version.rpartition(":")
    return Package(
        name=name,
        version="9.5" if plain == "-" else plain,
        release="0.standin.el9",
        epoch=int(epoch or 0),
        summary=f"Stand-in: the guest's own {name}, or nothing, does the work",
        provides=provides,
    )


def _jq(sources: Mapping[str, Unpacked], room: Path) -> Package:
    program = _repacked(sources["jq"], room, name="jq", summary="Command-line JSON processor", requires=("oniguruma",))
    _copy(sources["libjq1"], room / "jq")
    return program


def _automatic(source: Unpacked, room: Path) -> Package:
    """The module itself is in the tree; Debian leaves out the program, its timers and their services."""
    root = room / "dnf-automatic"
    place(source.root / "etc/dnf/automatic.conf", root / "etc/dnf/automatic.conf")
    place(UNITS / "dnf-automatic", root / "usr/bin/dnf-automatic", mode=0o755)
    for unit in _DNF_UNITS:
        place(UNITS / unit, root / "usr/lib/systemd/system" / unit, mode=0o644)
    return Package(
        name="dnf-automatic",
        version=upstream(source.version),
        release=_RELEASE,
        summary="Automated upgrades for dnf",
        root=root,
        requires=("dnf",),
        scripts=rpm.keeps_running(*(unit for unit in _DNF_UNITS if unit.endswith(".timer"))),
    )


def _dnf_plugins(sources: Mapping[str, Unpacked], room: Path) -> list[Package]:
    """Split as in Rocky: the version lock is a package of its own."""
    source = sources["dnf-plugins-core"]

    def lock(path: str) -> bool:
        return any(part in path for part in _VERSIONLOCK)

    core = _repacked(
        source,
        room,
        name="dnf-plugins-core",
        summary="Core plugins for dnf",
        requires=("python3-dateutil",),
        provides=("python3-dnf-plugins-core", "dnf-command(config-manager)", "dnf-command(needs-restarting)"),
        wanted=lambda path: not lock(path) and not any(part in path for part in _NO_PLUGINS),
    )
    versionlock = _repacked(
        source,
        room,
        name="python3-dnf-plugin-versionlock",
        summary="Version lock plugin for dnf",
        requires=("dnf-plugins-core",),
        provides=("dnf-command(versionlock)",),
        wanted=lock,
    )
    dateutil = _repacked(sources["python3-dateutil"], room, name="python3-dateutil", summary="Dates in Python")
    return [core, versionlock, dateutil]


def _repacked(
    source: Unpacked,
    room: Path,
    *,
    name: str,
    summary: str,
    requires: tuple[str, ...] = (),
    provides: tuple[str, ...] = (),
    wanted: Callable[[str], bool] = lambda path: True,
) -> Package:
    _copy(source, room / name, wanted)
    return Package(
        name=name,
        version=upstream(source.version),
        release=_RELEASE,
        summary=summary,
        root=room / name,
        requires=requires,
        provides=provides,
    )


def _copy(source: Unpacked, root: Path, wanted: Callable[[str], bool] = lambda path: True) -> None:
    for path in source.root.rglob("*"):
        inside = str(path.relative_to(source.root))
        if (path.is_symlink() or path.is_file()) and not inside.startswith(_NO_FILES) and wanted(inside):
            place(path, root / inside)
