"""Kernel, initramfs and root disk of the QEMU guest, built once on this machine for every lab."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from lab.images.sources import SUITE, guest_sources
from lab.machine import MMDEBSTRAP
from lab.qemu.archive import packed
from lab.qemu.modules import WANTED, packed_modules
from lab.services.parts import OPTIONS
from setup.cached import digest, made_once
from setup.machine import Tool, ensure
from setup.process import run_quietly
from setup.report import SetupError, work

KERNEL, INITRAMFS, DISK = "vmlinuz", "initramfs", "disk.img"
_FOLDER = Path(__file__).parent / "image"
_DISK_SIZE = "3G"
_MKE2FS = Tool(name="mke2fs", package="e2fsprogs", remedy="install e2fsprogs", folders=("/usr/sbin", "/sbin"))


def ensure_guest() -> Path:
    """Folder with `vmlinuz`, `initramfs` and `disk.img`; SetupError when they cannot be made."""
    return made_once("qemu-guest", key(), _make)


def key() -> str:
    """Hash of all that makes the guest."""
    code = [Path(__file__).with_name(name) for name in ("archive.py", "modules.py")]
    return digest([SUITE, *OPTIONS, *WANTED, _DISK_SIZE], [*_FOLDER.iterdir(), *code])


def packages() -> list[str]:
    """Debian packages of the disk."""
    lines = (line.strip() for line in (_FOLDER / "packages.txt").read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _make(folder: Path) -> None:
    if os.geteuid() != 0:
        raise SetupError("qemu guest: can only be built as root; run the same command with sudo.")
    with tempfile.TemporaryDirectory(dir=folder) as room:
        tree = Path(room) / "tree"
        tree.mkdir()
        _unpack_tree(Path(room), tree)
        with work("qemu guest: initramfs and disk"):
            shutil.move(tree / "vmlinuz", folder / KERNEL)
            (folder / INITRAMFS).write_bytes(_initramfs(tree))
            features = "lazy_itable_init=1,lazy_journal_init=1"
            disk = [str(folder / DISK), _DISK_SIZE]
            run_quietly([str(ensure(_MKE2FS)), "-q", "-t", "ext4", "-d", str(tree), "-E", features, *disk])


def _unpack_tree(room: Path, tree: Path) -> None:
    """The tree by mmdebstrap, as a folder: mke2fs takes no archive everywhere."""
    sources, archive = room / "sources.list", room / "tree.tar"
    sources.write_text("\n".join(guest_sources()) + "\n")
    command = [
        *(str(ensure(MMDEBSTRAP)), *OPTIONS, '--aptopt=APT::Install-Recommends "false"'),
        *(f"--include={','.join(packages())}", f"--customize-hook={_FOLDER / 'hook'}"),
        *(SUITE, str(archive), str(sources)),
    ]
    with work(f"qemu guest: Debian {SUITE} with its kernel"):
        run_quietly(command, cwd=Path("/"), remedy="Check the distribution's package sources.")
        run_quietly(["tar", "-xf", str(archive), "-C", str(tree)])
        archive.unlink()


def _initramfs(tree: Path) -> bytes:
    modules = dict(packed_modules(next((tree / "usr/lib/modules").iterdir())))
    files = {
        "init": (0o755, (_FOLDER / "init").read_bytes()),
        "bin/busybox": (0o755, (tree / "usr/bin/busybox").read_bytes()),
        "modules/order": (0o644, "".join(f"{name}\n" for name in modules).encode()),
        **{f"modules/{name}": (0o644, content) for name, content in modules.items()},
        **{f"{name}/.here": (0o644, b"") for name in ("proc", "sys", "dev", "root")},
    }
    return packed(files)
