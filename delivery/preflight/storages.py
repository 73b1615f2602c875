"""Storages: there on each node that is used, active, for the right content, with room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from delivery.preflight.check import About, Check
from delivery.preflight.ids import is_ours
from delivery.preflight.scope import Scope
from provisioning.errors import ProvisioningError
from provisioning.inventory import GIB, Inventory, Storage
from settings import VmSpec
from settings.stack import HostKeyMethod

SEED_BYTES = 1 << 20
"""A seed disc is 400 KiB."""
IMAGES, ISO, SNIPPETS = "images", "iso", "snippets"


@dataclass
class _Wish:
    """What is to go onto one storage of one node."""

    contents: set[str] = field(default_factory=set)
    size_bytes: int = 0
    setting: str = ""


def check_storages(scope: Scope, inventory: Inventory) -> Iterator[Check]:
    """A line for each storage on each node."""
    if because := scope.unusable("vms"):
        yield About(name="storage").unknown(because)
        return
    try:
        wishes = _wishes(scope, inventory)
    except ProvisioningError as error:
        yield About(name="storage").unknown(str(error))
        return
    for (node, name), wish in wishes.items():
        about = About(name="storage", subject=f"{name} on {node}", field=wish.setting)
        try:
            storages = inventory.storages(node)
        except ProvisioningError as error:
            yield about.unknown(str(error))
            continue
        together = sum(other.size_bytes for (_, other_name), other in wishes.items() if other_name == name)
        yield _one(about, storages, name, wish, together)


def _one(about: About, storages: Mapping[str, Storage], name: str, wish: _Wish, together: int) -> Check:
    found = storages.get(name)
    missing = wish.contents - (found.contents if found else set())
    if found is None:
        others = _fitting(storages, wish.contents)
        return about.failed(
            f"does not exist there, or the token may not see it; for {_list(wish.contents)} there is {others}",
            "correct the site file, or grant Datastore.Audit",
        )
    if missing:
        others = _fitting(storages, missing)
        return about.failed(
            f"holds {_list(found.contents)}, not {_list(missing)}",
            f"allow that content (Datacenter > Storage), or name another: {others}",
        )
    if not found.active:
        return about.failed("is not active", "look at the node's storages: is it enabled, is its server reachable?")
    wanted = together if found.shared else wish.size_bytes
    detail = f"{_size(wanted)} wanted for {_list(wish.contents)}, {_size(found.free_bytes)} free"
    if wanted > found.free_bytes:
        return about.failed(detail, "free some, choose another storage, or smaller disks")
    return about.passed(detail)


def _wishes(scope: Scope, inventory: Inventory) -> dict[tuple[str, str], _Wish]:
    found: dict[tuple[str, str], _Wish] = defaultdict(_Wish)

    def wish(vm: VmSpec, storage: str, content: str, size_bytes: float, setting: str) -> None:
        one = found[vm.node, storage]
        one.contents.add(content)
        one.size_bytes += int(size_bytes)
        one.setting = one.setting or setting

    storages = scope.site.proxmox.storages
    for vm in scope.program.vms:
        is_new = not is_ours(scope, inventory, vm.vm_id, vm.name)
        size = vm.disk_gib * GIB if is_new and vm.full_clone else 0
        wish(vm, vm.storage, IMAGES, size, scope.of_vm(vm.name, "disk_gib"))
        if vm.data_vm_id is not None:
            is_new_data = not is_ours(scope, inventory, vm.data_vm_id, f"{vm.name}-data")
            for disk in vm.data_disks:
                size = disk.size_gib * GIB if is_new_data else 0
                wish(vm, disk.storage, IMAGES, size, scope.of_vm(vm.name, "data_disks"))
        if vm.host_key is HostKeyMethod.SEED_ISO:
            wish(vm, storages.iso, ISO, SEED_BYTES if is_new else 0, scope.of_site("proxmox.storages.iso"))
        elif vm.host_key is HostKeyMethod.SNIPPET and storages.snippets:
            wish(vm, storages.snippets, SNIPPETS, 0, scope.of_site("proxmox.storages.snippets"))
    return found


def _fitting(storages: Mapping[str, Storage], contents: set[str]) -> str:
    return _list({name for name, storage in storages.items() if contents <= storage.contents}) or "none"


def _list(names: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _size(size_bytes: int) -> str:
    return f"{size_bytes / GIB:.1f} GiB" if size_bytes >= GIB / 10 else f"{size_bytes / (1 << 20):.0f} MiB"
