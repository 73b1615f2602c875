"""Disk images and files in storages: allocated, found, grown and freed, with their bytes under the state directory."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from lab.pve.errors import failure, invalid
from lab.pve.properties import UNITS
from lab.pve.state import State, Volume
from lab.world import Storage, World

FILE_BASED = ("dir", "nfs", "cifs")
CLOUDINIT_SIZE = 4 * UNITS["M"]


class Volumes:
    """The content of all storages of all nodes."""

    def __init__(self, world: World, state: State, directory: Path) -> None:
        """Bytes go to `volumes/` and `storage/` of the directory."""
        self._storages = {storage.name: storage for storage in world.storages}
        self._state = state
        self._directory = directory

    def storage(self, name: str) -> Storage:
        """A storage by name."""
        if name not in self._storages:
            raise failure(f"storage '{name}' does not exist")
        return self._storages[name]

    def storages(self) -> list[Storage]:
        """All storages; every node has all of them."""
        return list(self._storages.values())

    def find(self, node: str, volid: str) -> Volume | None:
        """A volume by id, as seen from a node."""
        return self._state.volumes.get(self._key(node, volid))

    def require(self, node: str, volid: str) -> Volume:
        """A volume that must exist."""
        volume = self.find(node, volid)
        if volume is None:
            raise failure(f"volume '{volid}' does not exist")
        return volume

    def on(self, node: str, storage: str) -> list[Volume]:
        """What a storage of a node holds."""
        place = self._place(node, storage)
        return [v for v in self._state.volumes.values() if v.storage == storage and v.node == place]

    def owned_by(self, vmid: int) -> list[Volume]:
        """Volumes that carry this VM's id in their name."""
        return [volume for volume in self._state.volumes.values() if volume.owner == vmid]

    def allocate(self, node: str, storage: str, vmid: int, size: int, image_format: str | None = None) -> Volume:
        """A new disk image of the VM, with the first free number."""
        chosen = self._format(storage, image_format)
        name = next(n for n in _disk_names(vmid) if not self._taken(storage, vmid, n))
        return self.add(
            node, f"{storage}:{self._path_name(storage, vmid, name, chosen)}", size, owner=vmid, kind=chosen
        )

    def allocate_cloudinit(self, node: str, storage: str, vmid: int) -> Volume:
        """The VM's cloud-init image."""
        chosen = "qcow2" if self.storage(storage).type in FILE_BASED else "raw"
        volid = f"{storage}:{self._path_name(storage, vmid, f'vm-{vmid}-cloudinit', chosen)}"
        return self.find(node, volid) or self.add(node, volid, CLOUDINIT_SIZE, owner=vmid, kind=chosen)

    def add(
        self, node: str, volid: str, size: int, *, owner: int | None = None, kind: str = "raw", content: str = "images"
    ) -> Volume:
        """Record a volume; disk images get a sparse backing file when they are first attached."""
        place = self._place(node, volid.partition(":")[0])
        volume = Volume(volid, place, content, kind, size, int(time.time()), owner)
        self._state.volumes[self._key(node, volid)] = volume
        return volume

    def resize(self, volume: Volume, size: int) -> None:
        """Make it larger; the backing file, if there is one, follows."""
        volume.size = size
        if self._image_path(volume).exists():
            self.backing_file(volume)

    def backing_file(self, volume: Volume) -> Path:
        """The sparse file behind a disk image, exactly as long as the disk."""
        path = self._image_path(volume)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if path.stat().st_size != volume.size:
            with path.open("r+b") as file:
                file.truncate(volume.size)
        return path

    def file(self, node: str, volid: str) -> Path:
        """Where the bytes of an uploaded or downloaded file are."""
        storage, _, name = volid.partition(":")
        return self._directory / "storage" / (self._place(node, storage) or "shared") / storage / name

    def free(self, volume: Volume) -> None:
        """Remove a volume and its bytes."""
        del self._state.volumes[self._key(volume.node, volume.volid)]
        self._image_path(volume).unlink(missing_ok=True)
        if volume.content != "images":
            self.file(volume.node, volume.volid).unlink(missing_ok=True)

    def rename(self, volume: Volume, volid: str) -> None:
        """Give a disk image another id, keeping its bytes."""
        before = self._image_path(volume)
        del self._state.volumes[self._key(volume.node, volume.volid)]
        volume.volid = volid
        self._state.volumes[self._key(volume.node, volid)] = volume
        if before.exists():
            before.rename(self._image_path(volume))

    def _key(self, node: str, volid: str) -> str:
        return f"{self._place(node, volid.partition(':')[0])}/{volid}"

    def _place(self, node: str, storage: str) -> str:
        known = self._storages.get(storage)
        return "" if known and known.shared else node

    def _image_path(self, volume: Volume) -> Path:
        return self._directory / "volumes" / re.sub(r"[^A-Za-z0-9.-]+", "_", f"{volume.node}_{volume.volid}")

    def _taken(self, storage: str, vmid: int, name: str) -> bool:
        on_storage = (v for v in self.owned_by(vmid) if v.storage == storage)
        return any(name in (v.name, Path(v.name).stem, Path(v.name).name) for v in on_storage)

    def _format(self, storage: str, image_format: str | None) -> str:
        known = self.storage(storage)
        if "images" not in known.content:
            raise invalid(storage=f"storage '{storage}' does not support vm images")
        return (image_format or "raw") if known.type in FILE_BASED else "raw"

    def _path_name(self, storage: str, vmid: int, name: str, image_format: str) -> str:
        return f"{vmid}/{name}.{image_format}" if self.storage(storage).type in FILE_BASED else name


def _disk_names(vmid: int) -> Iterator[str]:
    return (f"vm-{vmid}-disk-{number}" for number in range(1000))
