"""Debian packages: the control files of a package, and dpkg-deb."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.packages.package import Package, is_configuration
from setup.process import run_quietly

_SCRIPT = "#!/bin/sh\nset -e\n"


def build_debs(packages: Iterable[Package], into: Path, room: Path, architecture: str) -> None:
    """Packages in folder `into`; `room` is for build trees, on the same filesystem as the packages' trees."""
    into.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda package: _build(package, into, room / package.name, architecture), packages))


def control(package: Package, architecture: str) -> str:
    """The control file."""
    fields = {
        "Package": package.name,
        "Version": package.evr,
        "Architecture": architecture,
        "Maintainer": "The lab of Hypercompose <lab@lab.internal>",
        "Section": "admin",
        "Priority": "optional",
        "Installed-Size": str(package.size() >> 10),
        "Depends": ", ".join(package.requires),
        "Recommends": ", ".join(package.recommends),
        "Provides": ", ".join(package.provides),
        "Description": package.summary,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def starts(*units: str) -> dict[str, str]:
    """Scripts for services, as debhelper writes them: enabled and started at install, restarted after an upgrade."""
    names = " ".join(units)
    return {
        "postinst": f"""\
[ "$1" = configure ] || exit 0
for unit in {names}; do
    deb-systemd-helper unmask "$unit" >/dev/null || true
    if deb-systemd-helper --quiet was-enabled "$unit"; then
        deb-systemd-helper enable "$unit" >/dev/null || true
    else
        deb-systemd-helper update-state "$unit" >/dev/null || true
    fi
done
[ -d /run/systemd/system ] || exit 0
systemctl --system daemon-reload >/dev/null || true
if [ -n "$2" ]; then action=restart; else action=start; fi
deb-systemd-invoke "$action" {names} >/dev/null || true
""",
        "prerm": f'[ "$1" != remove ] || [ ! -d /run/systemd/system ] || deb-systemd-invoke stop {names} || true\n',
        "postrm": f"""\
[ "$1" != purge ] || deb-systemd-helper purge {names} >/dev/null || true
[ "$1" != remove ] || [ ! -d /run/systemd/system ] || systemctl --system daemon-reload >/dev/null || true
""",
    }


def _build(package: Package, into: Path, room: Path, architecture: str) -> None:
    room.parent.mkdir(parents=True, exist_ok=True)
    if package.root:
        run_quietly(["cp", "-al", str(package.root), str(room)])
    meta = room / "DEBIAN"
    meta.mkdir(parents=True)
    (meta / "control").write_text(control(package, architecture))
    if configuration := [path for path in package.files() if is_configuration(path)]:
        (meta / "conffiles").write_text("\n".join(configuration) + "\n")
    for name, text in package.scripts.items():
        (meta / name).write_text(_SCRIPT + text)
        (meta / name).chmod(0o755)
    run_quietly(["dpkg-deb", "--root-owner-group", "-Zzstd", "-z3", "--build", str(room), str(into)])


def with_version_suffix(file: Path, suffix: str, into: Path, room: Path) -> None:
    """The same package as a newer one."""
    run_quietly(["dpkg-deb", "--raw-extract", str(file), str(room)])
    control_file = room / "DEBIAN" / "control"
    control_file.write_text(re.sub(r"^(Version: .+)$", rf"\1{suffix}", control_file.read_text(), flags=re.M))
    into.mkdir(parents=True)
    run_quietly(["dpkg-deb", "--root-owner-group", "--build", str(room), str(into)])
