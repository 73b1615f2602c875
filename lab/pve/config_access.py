"""Whether a caller may change these options of a VM, use these storages, volumes and bridges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lab.pve.changes import is_drive
from lab.pve.drives import Drive, drive
from lab.pve.errors import failure
from lab.pve.options import ROOT_ONLY, privilege
from lab.pve.permissions import ROOT
from lab.pve.properties import nic_options
from lab.pve.routing import Call
from lab.pve.state import Vm


def check_options(call: Call, vm: Vm, wanted: Mapping[str, str], deleted: Iterable[str]) -> None:
    """403 that names the path and privilege; 500 for options that only root may set."""
    for option, text in wanted.items():
        _check_option(call, vm, option, text)
    for option in deleted:
        call.require(f"/vms/{vm.vmid}", _slot_privilege(option, str(vm.config.get(option, ""))))


def _check_option(call: Call, vm: Vm, option: str, text: str) -> None:
    call.require(f"/vms/{vm.vmid}", _slot_privilege(option, text))
    if option in ROOT_ONLY and call.user != ROOT:
        raise failure(f"only root can set '{option}' config")
    if re.fullmatch(r"net\d+", option):
        check_bridge(call, nic_options(option, text))
    elif is_drive(option):
        _check_volume(call, vm, drive(option, text))


def _slot_privilege(option: str, text: str) -> str:
    if is_drive(option) and text and drive(option, text).is_cdrom:
        return "VM.Config.CDROM"
    return privilege(option)


def check_bridge(call: Call, nic: Mapping[str, str]) -> None:
    """SDN.Use on the bridge, or on its VLAN."""
    if "bridge" in nic:
        path = f"/sdn/zones/localnetwork/{nic['bridge']}"
        call.require(f"{path}/{nic['tag']}" if nic.get("tag") else path, "SDN.Use")


def _check_volume(call: Call, vm: Vm, wanted: Drive) -> None:
    if wanted.file == "cdrom":
        call.require("/", "Sys.Console")
    if wanted.file in ("none", "cdrom"):
        return
    call.cluster.volumes.storage(wanted.storage)
    path = f"/storage/{wanted.storage}"
    if wanted.is_cloudinit or wanted.new_size_gib is not None:
        call.require(path, "Datastore.AllocateSpace")
    elif not call.may(path, "Datastore.Allocate"):
        _check_existing(call, vm, wanted, path)


def _check_existing(call: Call, vm: Vm, wanted: Drive, path: str) -> None:
    volume = call.cluster.volumes.find(vm.node, wanted.file)
    owner = volume.owner if volume else None
    if owner == vm.vmid:
        return
    if owner is not None:
        call.require(path, "Datastore.Audit")
        call.require(f"/vms/{owner}", "VM.Config.Disk")
    else:
        call.cluster.permissions.require_any(call.user, path, ["Datastore.AllocateSpace", "Datastore.Audit"])
