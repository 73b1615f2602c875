"""The seed ISO in the site's storage and in the VM's drive: put in, taken out."""

from __future__ import annotations

from typing import Any

from provisioning.proxmox import Proxmox, ProxmoxError, segment

DRIVE = "ide3"
EMPTY = "none,media=cdrom"


def upload_iso(api: Proxmox, node: str, storage: str, name: str, image: bytes) -> str:
    """Store an image and return its volume id, `local:iso/name.iso`. An image of that name is replaced."""
    upid = api.post(
        f"/nodes/{segment(node)}/storage/{segment(storage)}/upload",
        form={"content": "iso"},
        files={"filename": (name, image, "application/octet-stream")},
    )
    api.wait(node, str(upid))
    return f"{storage}:iso/{name}"


def eject(api: Proxmox, node: str, vm_id: int, volume: str) -> None:
    """Take the volume out of the VM's drive, if it is in there."""
    path = f"/nodes/{segment(node)}/qemu/{vm_id}/config"
    if str(api.get(path).get(DRIVE, "")).split(",")[0] == volume:
        api.put(path, {DRIVE: EMPTY})


def delete_volume(api: Proxmox, node: str, volume: str) -> None:
    """Delete a volume; none there is fine."""
    storage = volume.partition(":")[0]
    path = f"/nodes/{segment(node)}/storage/{segment(storage)}/content"
    try:
        there: Any = [item["volid"] for item in api.get(path, content="iso")]
        if volume in there:
            api.wait(node, str(api.delete(f"{path}/{segment(volume)}")))
    except ProxmoxError as error:
        if "does not exist" not in str(error):
            raise
