"""RPMs: the spec of a package, and rpmbuild."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.packages.package import Package, is_configuration
from setup.process import run_quietly

_SCRIPTS = ("pre", "post", "preun", "postun", "posttrans")
_HEAD = """\
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
%global _build_id_links none
Name: {name}
Version: {version}
Release: {release}
Summary: {summary}
License: see upstream
AutoReqProv: no
"""


def build_rpms(packages: Iterable[Package], into: Path, room: Path) -> None:
    """RPMs in folder `into`; `room` is for specs and build trees, on the same filesystem as the packages' trees."""
    into.mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda package: _build(package, into, room / f"{package.name}-{package.evr}"), packages))


def spec(package: Package) -> str:
    """The spec file."""
    lines = [_HEAD.format(**vars(package))]
    lines += [f"Epoch: {package.epoch}"] if package.epoch else []
    for tag, values in (
        ("Requires", package.requires),
        ("Recommends", package.recommends),
        ("Provides", package.provides),
    ):
        lines += [f"{tag}: {value}" for value in values]
    lines += ["%description", package.summary + ".", "%install"]
    lines += [f"mkdir -p %{{buildroot}} && cp -al '{package.root}/.' %{{buildroot}}"] if package.root else []
    for script in _SCRIPTS:
        lines += [f"%{script}", package.scripts[script]] if script in package.scripts else []
    lines += ["%files", "%defattr(-,root,root,-)"]
    lines += [("%config(noreplace) " if is_configuration(path) else "") + path for path in package.files()]
    return "\n".join(lines) + "\n"


def keeps_running(*units: str) -> dict[str, str]:
    """Scripts for services: as Fedora's macros, nothing starts at install, what runs is restarted after an upgrade."""
    names = " ".join(units)
    return {
        "post": "[ -d /run/systemd/system ] && systemctl daemon-reload || :",
        "preun": f"[ $1 -gt 0 ] || systemctl --no-reload disable --now {names} >/dev/null 2>&1 || :",
        "postun": f"[ $1 -lt 1 ] || systemctl set-property {units[0]} Markers=+needs-restart >/dev/null 2>&1 || :",
        # Rocky's systemd package does this once for the whole transaction, by a trigger.
        "posttrans": "systemctl daemon-reload || :\nsystemctl reload-or-restart --marked || :",
    }


def _build(package: Package, into: Path, room: Path) -> None:
    room.mkdir(parents=True)
    file = room / "package.spec"
    file.write_text(spec(package))
    macros = {"_topdir": room, "_rpmdir": into, "_rpmfilename": "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm"}
    # The machine's own macros must not decide: one compression that every dnf reads, one database of nothing.
    macros |= {"_binary_payload": "w3.zstdio", "_dbpath": room / "db"}
    defined = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
    run_quietly(["rpmbuild", "-bb", "--quiet", "--nodeps", *defined, str(file)], cwd=room)
