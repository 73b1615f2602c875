"""Whose things these are: every object a lab makes on the machine carries its site id and its folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SITE_LABEL = "hypercompose.lab"
DIR_LABEL = "hypercompose.lab.dir"
VM_LABEL = "hypercompose.lab.vm"


@dataclass(frozen=True)
class Lab:
    """One lab: the id of its site and the folder that holds all of its state."""

    site: str
    directory: Path
    """Absolute. A lab whose folder is gone is abandoned, and whoever finds its things may remove them."""

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its containers and volumes."""
        return {SITE_LABEL: self.site, DIR_LABEL: str(self.directory)}

    @property
    def label_filter(self) -> dict[str, Any]:
        """The Docker API's filter for just these things."""
        return {"label": [f"{label}={value}" for label, value in self.labels.items()]}

    @property
    def mark(self) -> str:
        """The same for what has no labels: the alias of a network device, the comment of a firewall rule."""
        return f"{SITE_LABEL}={self.site} {DIR_LABEL}={self.directory}"

    @property
    def bridge_prefix(self) -> str:
        """Start of the names of its bridges, short enough for the 15 characters Linux allows."""
        return f"hc{_digest(self.site, 4)}-"

    @property
    def chain(self) -> str:
        """Name of its chains in the packet filter."""
        return f"HYPERCOMPOSE-{_digest(self.site, 8)}"

    def bridge_device(self, bridge: str, tag: int | None) -> str:
        """Linux bridge that carries one network of the site: `hc` + lab + `-` + network, 14 characters."""
        return self.bridge_prefix + _digest(f"{bridge}/{tag or ''}", 7)

    def wire(self, vmid: int, slot: int) -> str:
        """The machine's end of a guest's network cable."""
        return f"hv{_digest(f'{self.site}/{vmid}/{slot}', 10)}"

    def container(self, vmid: int) -> str:
        """Container that is the guest."""
        return f"hc-{self.site}-{vmid}"

    def volume(self, vmid: int) -> str:
        """Volume with the guest's /var/lib/docker, which cannot be an overlay on an overlay."""
        return f"{self.container(vmid)}-docker"


def lab_of_mark(mark: str) -> Lab | None:
    """The lab that left this alias or comment; None when it is not one of ours."""
    site, _, directory = mark.removeprefix(f"{SITE_LABEL}=").partition(f" {DIR_LABEL}=")
    return Lab(site, Path(directory)) if mark.startswith(f"{SITE_LABEL}=") and directory else None


def lab_of_labels(labels: Mapping[str, str]) -> Lab | None:
    """The lab that these labels name; None when they are not ours."""
    if SITE_LABEL not in labels or DIR_LABEL not in labels:
        return None
    return Lab(labels[SITE_LABEL], Path(labels[DIR_LABEL]))


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
