"""Changing a VM's configuration: at once, or pending until the next power cycle when the VM runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence

from lab.hypervisor import HypervisorError
from lab.pve import options
from lab.pve.cluster import Cluster
from lab.pve.drives import SLOT, drive, keep_unused, set_drive, take_out
from lab.pve.errors import ApiError, invalid_option
from lab.pve.machines import machine
from lab.pve.state import Value, Vm

_COLD_SLOTS = r"(ide|sata)\d+|efidisk0|tpmstate0"
"""Slots that a running machine cannot plug or unplug; only the disc in a CD drive may change."""


def is_drive(option: str) -> bool:
    """Whether the option is a drive slot."""
    return bool(re.fullmatch(SLOT, option))


def set_options(cluster: Cluster, vm: Vm, wanted: Mapping[str, str]) -> None:
    """Set options. Sizes, tags, MACs are put in Proxmox's form; disks are made."""
    for option, text in wanted.items():
        value = set_drive(cluster.volumes, vm, option, text) if is_drive(option) else options.cleaned(option, text)
        if vm.on and _waits(vm, option, value):
            vm.pending[option] = value
        else:
            vm.pending.pop(option, None)
            _put(vm, option, value)


def delete_options(cluster: Cluster, vm: Vm, names: Iterable[str], *, destroy: bool = False) -> None:
    """Remove options; those that a running machine cannot lose stay pending."""
    for option in names:
        vm.pending.pop(option, None)
        if option not in vm.config:
            continue
        if vm.on and _waits(vm, option, None):
            vm.pending[option] = None
        else:
            _remove(cluster, vm, option, destroy=destroy)


def revert_options(vm: Vm, names: Iterable[str]) -> None:
    """Forget pending changes."""
    for option in names:
        vm.pending.pop(option, None)


def apply_pending(cluster: Cluster, vm: Vm) -> None:
    """What was pending becomes the configuration: at power on, and with any change while it is off."""
    for option, value in list(vm.pending.items()):
        del vm.pending[option]
        if value is not None:
            _put(vm, option, value)
        elif option in vm.config:
            _remove(cluster, vm, option)


async def hot_plug(cluster: Cluster, vm: Vm, changed: Sequence[str]) -> None:
    """Bring a running guest to the configuration; 400 that names the option when it cannot follow."""
    if not vm.on or vm.image is None or not any(map(_reaches_the_guest, changed)):
        return
    try:
        wanted = await asyncio.to_thread(machine, cluster, vm)
        await cluster.in_thread(cluster.hypervisor.apply, wanted)
    except (ApiError, HypervisorError) as error:
        option = next((name for name in changed if re.fullmatch(r"net\d+", name)), changed[0])
        raise invalid_option(option, f"hotplug problem - {error}") from error


def _reaches_the_guest(option: str) -> bool:
    return is_drive(option) or bool(re.fullmatch(r"(net|ipconfig)\d+", option)) or option in options.CLOUDINIT


def _waits(vm: Vm, option: str, value: Value | None) -> bool:
    if option in options.IMMEDIATE or re.fullmatch(r"(net|ipconfig|unused)\d+", option):
        return False
    current = vm.config.get(option)
    if is_drive(option):
        return bool(re.fullmatch(_COLD_SLOTS, option)) and not _is_disc_change(option, current, value)
    return current != value


def _is_disc_change(option: str, current: Value | None, value: Value | None) -> bool:
    if current is None or value is None:
        return False
    return drive(option, str(current)).is_cdrom and drive(option, str(value)).is_cdrom


def _put(vm: Vm, option: str, value: Value) -> None:
    before = vm.config.get(option)
    vm.config[option] = value
    if value == "" and option in ("tags", "description"):
        del vm.config[option]
    if not is_drive(option):
        return
    now = drive(option, str(value))
    for key in [k for k, text in vm.config.items() if k.startswith("unused") and text == now.file]:
        del vm.config[key]
    if before is not None:
        _keep_replaced(vm, drive(option, str(before)).file, now.file)


def _keep_replaced(vm: Vm, before: str, now: str) -> None:
    owned = re.search(rf"[:/](vm|base)-{vm.vmid}-disk-", before)
    if before != now and owned:
        keep_unused(vm, before)


def _remove(cluster: Cluster, vm: Vm, option: str, *, destroy: bool = False) -> None:
    if is_drive(option) or re.fullmatch(r"unused\d+", option):
        take_out(cluster.volumes, vm, option, destroy=destroy)
    else:
        del vm.config[option]
