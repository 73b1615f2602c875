"""Drives of a VM: what a `scsi1=...` means, which volume it names, and what becomes of it when it is taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.pve.errors import failure, invalid_option
from lab.pve.imports import virtual_size
from lab.pve.properties import UNITS, parse, render, size_text
from lab.pve.state import Vm, Volume
from lab.pve.volumes import Volumes

SLOT = r"(?:ide[0-3]|sata[0-5]|scsi(?:[12]?\d|30)|virtio(?:\d|1[0-5])|efidisk0|tpmstate0)"
UNUSED = r"unused(\d+)"
_CREATE_ONLY = ("file", "import-from", "format", "size")


@dataclass(frozen=True)
class Drive:
    """One drive as its text has it."""

    slot: str
    file: str
    """Volume id, `none` for an empty CD drive, `STORAGE:10` for a disk to be made, `STORAGE:cloudinit`."""
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_cdrom(self) -> bool:
        """Whether it is a CD drive; cloud-init images are in one too."""
        return self.options.get("media") == "cdrom" or self.is_cloudinit

    @property
    def is_cloudinit(self) -> bool:
        """Whether it holds the image that Proxmox generates itself."""
        return bool(re.fullmatch(r"[^:]+:(.*/)?(vm-\d+-)?cloudinit(\.\w+)?", self.file))

    @property
    def storage(self) -> str:
        """Storage of the volume."""
        return self.file.partition(":")[0]

    @property
    def new_size_gib(self) -> float | None:
        """Size of a disk that is to be made."""
        match = re.fullmatch(r"[^:/]+:(\d+(?:\.\d+)?)", self.file)
        return float(match[1]) if match else None

    @property
    def holds_iso(self) -> bool:
        """Whether it is a CD drive with a file from a storage in it."""
        return self.is_cdrom and not self.is_cloudinit and ":" in self.file

    def text(self, size: int | None = None) -> str:
        """As Proxmox stores it."""
        kept = {key: value for key, value in self.options.items() if key not in _CREATE_ONLY}
        return render(self.file, kept | ({"size": size_text(size)} if size else {}))


def drive(slot: str, text: str) -> Drive:
    """Read a drive; 400 when it names no volume."""
    options = parse(text)
    file = options.pop("file", "") or options.pop("volume", "")
    if file not in ("none", "cdrom") and ":" not in file:
        raise invalid_option(slot, f"invalid format - format error\nfile: unable to parse volume ID '{file}'\n")
    return Drive(slot, file, options)


def drives(config: dict[str, str | int]) -> Iterator[Drive]:
    """All drives of a configuration."""
    return (drive(slot, str(text)) for slot, text in config.items() if re.fullmatch(SLOT, slot))


def disks(config: dict[str, str | int]) -> Iterator[Drive]:
    """The drives that are disks."""
    return (item for item in drives(config) if not item.is_cdrom)


def set_drive(volumes: Volumes, vm: Vm, slot: str, text: str) -> str:
    """Make or find the volume that a drive asks for; answers the text to store."""
    wanted = drive(slot, text)
    if wanted.is_cloudinit:
        return _cloudinit_text(volumes, vm, wanted)
    if wanted.is_cdrom:
        found = volumes.find(vm.node, wanted.file)
        return wanted.text(found.size if found else None)
    volume = _disk_volume(volumes, vm, wanted)
    return Drive(slot, volume.volid, wanted.options).text(volume.size)


def _cloudinit_text(volumes: Volumes, vm: Vm, wanted: Drive) -> str:
    other = next((d.slot for d in drives(vm.wanted()) if d.is_cloudinit and d.slot != wanted.slot), None)
    if other:
        raise failure(f"{wanted.slot} - cloud-init drive is already attached at '{other}'")
    volume = volumes.allocate_cloudinit(vm.node, wanted.storage, vm.vmid)
    return Drive(wanted.slot, volume.volid, wanted.options | {"media": "cdrom"}).text()


def _disk_volume(volumes: Volumes, vm: Vm, wanted: Drive) -> Volume:
    storage = volumes.storage(wanted.storage)
    if wanted.new_size_gib is None:
        return volumes.require(vm.node, wanted.file)
    source = wanted.options.get("import-from")
    if source:
        size = virtual_size(volumes.file(vm.node, volumes.require(vm.node, source).volid))
    else:
        size = int(wanted.new_size_gib * UNITS["G"])
    if size <= 0:
        raise failure(f"unable to create image: size of '{wanted.file}' must be larger than 0")
    return volumes.allocate(vm.node, storage.name, vm.vmid, size, wanted.options.get("format"))


def take_out(volumes: Volumes, vm: Vm, slot: str, *, destroy: bool = False) -> None:
    """Remove a drive. The VM's own disk becomes `unusedN`; an unused or cloud-init one is freed."""
    taken = drive(slot, str(vm.config.pop(slot)))
    volume = volumes.find(vm.node, taken.file)
    if volume is None or volume.owner != vm.vmid:
        return
    if destroy or taken.is_cloudinit or slot.startswith("unused"):
        volumes.free(volume)
    elif not taken.is_cdrom:
        keep_unused(vm, volume.volid)


def keep_unused(vm: Vm, volid: str) -> None:
    """Note a disk that is no longer attached, as Proxmox does."""
    known = [str(text) for key, text in vm.config.items() if re.fullmatch(UNUSED, key)]
    if volid not in known and all(d.file != volid for d in drives(vm.config)):
        free = next(number for number in range(256) if f"unused{number}" not in vm.config)
        vm.config[f"unused{free}"] = volid
