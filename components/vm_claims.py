"""The claims of all VMs of a stack: every one of them holds before the first VM is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.native import VmClaim
from components.site_access import SiteAccess
from settings import VmSpec


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One VM of the plan and what it needs that must be there already."""

    spec: VmSpec
    owner: str
    """`<site>/<stack>/<vm>`: written on the VM, and told from everybody else's by it."""
    iso_storage: str
    bridges: tuple[str, ...]
    """Those that the stack owns are not among them."""

    @property
    def data_name(self) -> str:
        """Name of the VM that holds the data disks."""
        return f"{self.spec.name}-data"

    @property
    def data_owner(self) -> str:
        """Owner of the VM that holds the data disks."""
        return f"{self.owner}-data"


class VmClaims(pulumi.ComponentResource):
    """Claims by VM name. A VM depends on all of them, so that a refused one leaves nothing half made."""

    def __init__(
        self, name: str, site: SiteAccess, wanted: Sequence[Wanted], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Take every VM of the stack."""
        super().__init__("hypercompose:compute:VmClaims", name, None, opts)
        options = pulumi.ResourceOptions(parent=self, provider=site.native, depends_on=[site.claim])
        self.by_name: dict[str, VmClaim] = {}
        for one in wanted:
            self.by_name[one.spec.name] = VmClaim(f"{one.spec.name}-claim", _inputs(one), options)
            if one.spec.data_disks:
                self.by_name[one.data_name] = VmClaim(f"{one.data_name}-claim", _data_inputs(one), options)
        self.register_outputs({})

    @property
    def all(self) -> list[VmClaim]:
        """Every claim."""
        return list(self.by_name.values())


def _inputs(wanted: Wanted) -> dict[str, Any]:
    spec = wanted.spec
    return {
        "vm_id": spec.vm_id,
        "name": spec.name,
        "owner": wanted.owner,
        "node": spec.node,
        "template_id": spec.template_id,
        "disk_storages": [spec.storage],
        "iso_storage": wanted.iso_storage,
        "bridges": list(wanted.bridges),
        "addresses": [str(nic.address.ip) for nic in spec.nics if nic.address],
    }


def _data_inputs(wanted: Wanted) -> dict[str, Any]:
    spec = wanted.spec
    return {
        "vm_id": spec.data_vm_id,
        "name": wanted.data_name,
        "owner": wanted.data_owner,
        "node": spec.node,
        "disk_storages": list(dict.fromkeys(disk.storage for disk in spec.data_disks)),
        "bridges": [],
        "addresses": [],
    }
