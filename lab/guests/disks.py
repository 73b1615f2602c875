"""A guest's data disks: real block devices of this machine (loop) under the names a Proxmox guest knows them by."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from lab.guests.files import inside
from lab.hypervisor import Disk
from lab.machine import CommandFailed, run, run_json

BY_ID = "/dev/disk/by-id"


def plug(pid: int, disks: Sequence[Disk]) -> None:
    """Make the guest's data disks exactly these; a disk that grew shows its new size."""
    for disk in disks:
        device = _attach(disk.file)
        _show(pid, disk.slot, Path(device).stat().st_rdev)
    wanted = {link_name(disk.slot) for disk in disks}
    for link in _links(pid):
        if link.name not in wanted:
            inside(pid, f"/dev/{link.readlink().name}").unlink(missing_ok=True)
            link.unlink()


def detach(files: Iterable[Path]) -> None:
    """Free the block devices of these backing files; the kernel waits for a guest that still has one mounted."""
    for file in files:
        for device in _attached(file):
            with suppress(CommandFailed):
                run("losetup", "--detach", device)


def detach_below(folder: Path) -> None:
    """Free every block device whose backing file is in this folder, also of files that are deleted by now."""
    found = run_json("losetup", "--json", "--list", "--output", "NAME,BACK-FILE")
    for entry in found["loopdevices"] if found else ():
        if entry["back-file"] and Path(entry["back-file"]).is_relative_to(folder):
            with suppress(CommandFailed):
                run("losetup", "--detach", entry["name"])


def device_name(slot: str) -> str:
    """Kernel name of a disk: `scsi1` is `sdb`, `virtio0` is `vda`."""
    kind = slot.rstrip("0123456789")
    return f"{'vd' if kind == 'virtio' else 'sd'}{_letters(int(slot.removeprefix(kind)))}"


def link_name(slot: str) -> str:
    """Name below /dev/disk/by-id that QEMU's disks get."""
    return f"scsi-0QEMU_QEMU_HARDDISK_drive-{slot}"


def _letters(number: int) -> str:
    """Names as Linux counts them: 0 is `a`, 25 is `z`, 26 is `aa`."""
    return (_letters(number // 26 - 1) if number >= 26 else "") + chr(ord("a") + number % 26)


def _attach(file: Path) -> str:
    """Block device of a backing file, told to look at the file's length again."""
    known = _attached(file)
    if known:
        run("losetup", "--set-capacity", known[0])
        return known[0]
    return run("losetup", "--find", "--show", str(file)).strip()


def _attached(file: Path) -> list[str]:
    """Block devices that a backing file is behind now."""
    found = run_json("losetup", "--json", "--list", "--output", "NAME", "--associated", str(file))
    return [entry["name"] for entry in found["loopdevices"]] if found else []


def _show(pid: int, slot: str, number: int) -> None:
    """Put the device node and its link into the guest's /dev."""
    node, link = inside(pid, f"/dev/{device_name(slot)}"), inside(pid, f"{BY_ID}/{link_name(slot)}")
    if not node.exists() or node.stat().st_rdev != number:
        node.unlink(missing_ok=True)
        os.mknod(node, stat.S_IFBLK | 0o660, number)
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(f"../../{node.name}")


def _links(pid: int) -> list[Path]:
    folder = inside(pid, BY_ID)
    return sorted(folder.glob(link_name("*"))) if folder.is_dir() else []
