"""VMs: protected where there is something to lose, and never somebody else's."""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource import Resource, items, shown
from policies.rule import Level, Rule
from provider.values import UNKNOWN

VM = "proxmoxve:index/vmLegacy:VmLegacy"
DOC = "docs/settings.md#vmgroup"
ROOT_DISK = "scsi0"
LIMITS = "provider, for stacks with `limits`: none is deleted or replaced unless it is named; Proxmox: not held"


def unprotected_data(resource: Resource) -> Iterator[str]:
    """VMs with data disks, and the holders of those, that one command removes."""
    if _has_data(resource):
        yield from _unprotected(resource)


def unprotected(resource: Resource) -> Iterator[str]:
    """Other VMs that one command removes."""
    if not _has_data(resource):
        yield from _unprotected(resource)


def left_off(resource: Resource) -> Iterator[str]:
    """VMs that stay off when their node restarts."""
    if resource.get("started") is not False and resource.get("onBoot") is False:
        yield "onBoot: false"


def adopting(resource: Resource) -> Iterator[str]:
    """Clones that, tried again, would take a VM that has come there meanwhile for their own."""
    retries = resource.get("clone.retries")
    if resource.get("clone") is not None and retries not in (1, UNKNOWN):
        yield f"clone.retries: {shown(retries)}"


def _has_data(resource: Resource) -> bool:
    disks = items(resource.get("disks"))
    return any(not isinstance(disk, dict) or disk.get("interface") != ROOT_DISK for disk in disks)


def _unprotected(resource: Resource) -> Iterator[str]:
    if resource.get("protection") not in (True, UNKNOWN):
        yield f"protection: {shown(resource.get('protection'))}"
    elif not resource.protect:
        yield "protect: false, although Proxmox protects it"


RULES = (
    Rule(
        name="vm-with-data-protected",
        level=Level.MANDATORY,
        holds="a VM with data disks, and their holder, can be removed neither in Proxmox nor by Pulumi",
        remedy="set `protection: true` at its group; take it out again, and `up`, before removing it on purpose",
        doc=DOC,
        types=(VM,),
        find=unprotected_data,
        guard=LIMITS,
    ),
    Rule(
        name="vm-protected",
        level=Level.ADVISORY,
        holds="a VM can be removed neither in Proxmox nor by Pulumi",
        remedy="set `protection: true` at its group, where it is missed when it is gone",
        doc=DOC,
        types=(VM,),
        find=unprotected,
        guard=LIMITS,
    ),
    Rule(
        name="vm-starts-with-node",
        level=Level.ADVISORY,
        holds="a VM starts with its node",
        remedy="take `on_boot: false` out",
        doc=DOC,
        types=(VM,),
        find=left_off,
        guard="settings: so by default",
    ),
    Rule(
        name="vm-never-adopted",
        level=Level.MANDATORY,
        holds="a clone is tried once",
        remedy="leave `clone` as components/vm_arguments.py has it",
        doc="docs/adr/0004-vm-ids-are-claimed.md",
        types=(VM,),
        find=adopting,
        guard="program: always set; provider: ids are claimed first",
    ),
)
