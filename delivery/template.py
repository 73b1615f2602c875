"""Imports a cloud image as a template: downloaded and checked by the node itself, never through this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from provisioning.errors import ProvisioningError
from provisioning.proxmox import Proxmox, segment

CHECKSUM_LENGTHS = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
IMPORT_DEADLINE_S = 1800.0


@dataclass(frozen=True, kw_only=True)
class Image:
    """A qcow2 image on the web, and the template that it becomes."""

    url: str
    checksum: str
    """Hexadecimal; its length tells the algorithm."""
    vm_id: int
    name: str
    node: str
    disks: str
    """Storage of the template's disk."""
    downloads: str
    """Storage with content `import`, where the node keeps the image."""

    @property
    def file_name(self) -> str:
        """The image's file name, with the ending under which Proxmox imports it."""
        stem = re.sub(r"[^A-Za-z0-9._-]", "-", urlsplit(self.url).path.rpartition("/")[2])
        return stem if stem.endswith(".qcow2") else f"{stem}.qcow2"

    @property
    def algorithm(self) -> str:
        """The checksum's algorithm. Raises ProvisioningError when it is none."""
        found = CHECKSUM_LENGTHS.get(len(self.checksum)) if re.fullmatch("[0-9a-fA-F]+", self.checksum) else None
        if found is None:
            raise ProvisioningError(
                f"checksum: {self.checksum[:40]!r}, expected hexadecimal digits (64 of them for SHA-256); "
                "take it from the CHECKSUM file beside the image"
            )
        return found


def import_template(api: Proxmox, image: Image) -> Iterator[str]:
    """Make the template unless it is there; a line per thing done. Raises ProvisioningError."""
    algorithm = image.algorithm
    there = {int(vm["vmid"]): vm for vm in api.get("/cluster/resources", type="vm")}.get(image.vm_id)
    if there is not None:
        yield _already(image, there)
        return
    yield from _download(api, image, algorithm)
    _create(api, image)
    yield f"template {image.vm_id} ({image.name}) is ready on {image.node}; name it in the site file under templates"


def _already(image: Image, there: dict[str, Any]) -> str:
    if not there.get("template") or there.get("name") != image.name:
        raise ProvisioningError(
            f"VM id {image.vm_id} is taken by {there.get('name')!r} on {there['node']}; it is left alone"
        )
    return f"template {image.vm_id} ({image.name}) is there already"


def _download(api: Proxmox, image: Image, algorithm: str) -> Iterator[str]:
    storage = f"/nodes/{segment(image.node)}/storage/{segment(image.downloads)}"
    volume = f"{image.downloads}:import/{image.file_name}"
    if volume in [item["volid"] for item in api.get(f"{storage}/content", content="import")]:
        yield f"{volume} is there already"
        return
    form = {
        "content": "import",
        "filename": image.file_name,
        "url": image.url,
        "checksum": image.checksum.lower(),
        "checksum-algorithm": algorithm,
    }
    api.wait(image.node, str(api.post(f"{storage}/download-url", form)), IMPORT_DEADLINE_S)
    yield f"{volume} is downloaded, its {algorithm} checksum fits"


def _create(api: Proxmox, image: Image) -> None:
    vms = f"/nodes/{segment(image.node)}/qemu"
    form: dict[str, str | int] = {
        "vmid": image.vm_id,
        "name": image.name,
        "memory": 2048,
        "cores": 2,
        "cpu": "x86-64-v3",  # Rocky 9 starts on no less than v2
        "ostype": "l26",
        "scsihw": "virtio-scsi-single",
        "scsi0": f"{image.disks}:0,import-from={image.downloads}:import/{image.file_name}",
        "boot": "order=scsi0",
        "agent": "enabled=1",
        "serial0": "socket",
    }
    api.wait(image.node, str(api.post(vms, form)), IMPORT_DEADLINE_S)
    api.wait(image.node, str(api.post(f"{vms}/{image.vm_id}/template")))
