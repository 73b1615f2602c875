"""Which privileges the calls to the Proxmox API need, and on which path."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

VM = (
    "VM.Allocate",
    "VM.Audit",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Disk",
    "VM.Config.HWType",  # the provider sends acpi, scsihw, tablet and the like whatever was asked (measured)
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.PowerMgmt",
)
DATA_VM = (
    "VM.Allocate",
    "VM.Audit",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Options",
)
OLDER_AGENT = "VM.Monitor"
"""Of Proxmox before 9."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """A privilege on a path. `instead`: others that allow the same."""

    path: str
    privilege: str
    instead: tuple[str, ...] = ()

    def is_met(self, held: Collection[str]) -> bool:
        """Whether the privileges that somebody has on the path are enough."""
        return self.privilege in held or any(other in held for other in self.instead)


def of_vm(vm_id: int) -> Iterator[Need]:
    """To clone into this id, change the copy, and run it."""
    yield from _all(f"/vms/{vm_id}", VM)


def of_agent(vm_id: int, *, reads_files: bool) -> Iterator[Need]:
    """To ask the guest agent for addresses, or for files too."""
    unrestricted = ("VM.GuestAgent.Unrestricted", OLDER_AGENT)
    yield Need(path=f"/vms/{vm_id}", privilege="VM.GuestAgent.Audit", instead=unrestricted)
    if reads_files:
        yield Need(path=f"/vms/{vm_id}", privilege="VM.GuestAgent.FileRead", instead=unrestricted)


def of_cloud_init(vm_id: int) -> Iterator[Need]:
    """To use Proxmox's own cloud-init drive."""
    yield from _all(f"/vms/{vm_id}", ("VM.Config.Cloudinit",))


def of_data_vm(vm_id: int) -> Iterator[Need]:
    """To make a VM that only holds disks."""
    yield from _all(f"/vms/{vm_id}", DATA_VM)


def of_template(vm_id: int) -> Iterator[Need]:
    """To clone it."""
    yield from _all(f"/vms/{vm_id}", ("VM.Audit", "VM.Clone"))


def of_disks(storage: str, *, shared_between_vms: bool = False) -> Iterator[Need]:
    """To make disks; to use those of a data VM in another as well."""
    yield from _all(f"/storage/{storage}", ("Datastore.AllocateSpace",))
    if shared_between_vms:
        yield from _all(f"/storage/{storage}", ("Datastore.Audit",))


def of_uploads(storage: str) -> Iterator[Need]:
    """To upload a disc and to use it."""
    yield from _all(f"/storage/{storage}", ("Datastore.AllocateTemplate",))
    yield of_reading(storage)


def of_reading(storage: str) -> Need:
    """To see a storage and use files on it."""
    return Need(path=f"/storage/{storage}", privilege="Datastore.Audit", instead=("Datastore.AllocateSpace",))


def of_bridge(bridge: str, vlan: int | None = None) -> Iterator[Need]:
    """To plug a network device in."""
    path = f"/sdn/zones/localnetwork/{bridge}"
    yield from _all(path if vlan is None else f"{path}/{vlan}", ("SDN.Use",))


def of_node_networks(node: str) -> Iterator[Need]:
    """To make bridges and VLANs of a node."""
    yield from _all(f"/nodes/{node}", ("Sys.Audit", "Sys.Modify"))


def _all(path: str, privileges: tuple[str, ...]) -> Iterator[Need]:
    return (Need(path=path, privilege=privilege) for privilege in privileges)
