"""Debian's lighttpd out of its packages, unpacked and not installed: that would start a web server on port 80."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from lab.images.sources import SUITE, guest_sources
from lab.machine import MMDEBSTRAP
from setup.cached import digest, made_once
from setup.machine import ensure
from setup.process import run_quietly
from setup.report import SetupError, work

_PACKAGES = "lighttpd,lighttpd-mod-openssl,media-types,sysvinit-utils"
"""The last two keep apt from choosing systemd, and Perl with it, for what lighttpd's package depends on."""
_KEPT = ("./usr/sbin/lighttpd", "./usr/lib/lighttpd", "./usr/lib/*-linux-gnu*")
_LAYOUT = "loader named lighttpd"
"""Changes with what the finished folder holds."""


def ensure_lighttpd() -> Path:
    """Folder with the program, its modules, and every library down to the C library, whatever this machine has."""
    return made_once("lighttpd", digest([SUITE, _PACKAGES, *_KEPT, _LAYOUT]), _fetch)


def foreground(folder: Path) -> list[str]:
    """Command line of lighttpd that lacks the configuration file."""
    modules = folder / "usr/lib/lighttpd"
    libraries = _loader(folder).parent
    program = [str(folder / "usr/sbin/lighttpd"), "-m", str(modules), "-D"]
    return [str(folder / "lighttpd"), "--library-path", str(libraries), *program]


def _fetch(folder: Path) -> None:
    if os.geteuid() != 0:
        raise SetupError("lighttpd: can only be fetched as root; run the same command with sudo.")
    with work(f"git server: lighttpd of Debian {SUITE}"), tempfile.TemporaryDirectory(dir=folder) as room:
        sources, tree = Path(room) / "sources.list", Path(room) / "tree.tar"
        sources.write_text("\n".join(guest_sources()) + "\n")
        options = ["--variant=extract", "--mode=root", "--format=tar", f"--include={_PACKAGES}"]
        fetch = [str(ensure(MMDEBSTRAP)), *options, '--aptopt=Acquire::Languages "none"', SUITE, str(tree)]
        run_quietly([*fetch, str(sources)], cwd=Path("/"), remedy="Check the distribution's package sources.")
        run_quietly(["tar", "-xf", str(tree), "-C", str(folder), "--exclude=gconv", "--wildcards", *_KEPT])
    shutil.copy2(_loader(folder), folder / "lighttpd")  # then `ps` and `ss` tell who it is


def _loader(folder: Path) -> Path:
    """The dynamic loader that belongs to the libraries; started as a program, it runs another one with them."""
    return next((folder / "usr/lib").glob("*-linux-gnu*/ld-linux*.so.*"))
