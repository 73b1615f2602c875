"""RockyAppVm: from a template to a VM that accepts SSH under a pinned host key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmoxve

from components.first_boot import FirstBoot, first_boot
from components.native import Filesystem, HostKey, VmClaim
from components.site_access import SiteAccess
from components.vm_arguments import clone_arguments, data_vm_arguments
from settings import VmSpec
from settings.plan import DataDiskSpec


def _reported_only(own: int, attached: int = 0) -> list[str]:
    """What the provider alone reports: zeros of `speed`, and an attached disk's size, which grows with its owner.

    By index: neither `disks[*].speed` nor declared zeros help (measured). When a disk is added, the engine says once
    that its index was not there before.
    """
    speeds = [f"disks[{index}].speed" for index in range(own + attached)]
    return [*speeds, *(f"disks[{index}].size" for index in range(own, own + attached))]


@dataclass(frozen=True, kw_only=True)
class RockyAppVmArgs:
    """One VM of the plan, in a stack, on a site."""

    spec: VmSpec
    site: SiteAccess
    owner: str
    """`<site>/<stack>/<vm>`: written on the VM, and told from everybody else's by it."""
    user: str
    authorized_keys: tuple[str, ...]
    iso_storage: str
    snippet_storage: str | None
    foreign_bridges: tuple[str, ...]
    """Bridges that must be there already; those that the stack owns are not among them."""


class RockyAppVm(pulumi.ComponentResource):
    """A started Rocky Linux VM, cloned from a template, reachable over SSH with a pinned host key."""

    address: pulumi.Output[str]
    """IPv4 address to reach the VM at, known once the VM accepts SSH."""
    host_key: pulumi.Output[str]
    """The public host key that the VM made itself at first contact, `ssh-ed25519 AAAA…`."""
    vm_id: pulumi.Output[int]

    def __init__(self, name: str, args: RockyAppVmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the chain claim, seed, VM, first contact, host key, data disks."""
        super().__init__("hypercompose:compute:RockyAppVm", name, None, opts)
        self._name, self._args, self.spec = name, args, args.spec
        claim = self._claim(name, args.spec.vm_id, data=False)
        data_vm = self._data_vm() if args.spec.data_disks else None
        boot = first_boot(name, args, claim, parent=self)
        vm = self._vm(claim, boot, data_vm)
        key = boot.finish(vm)
        for disk in args.spec.data_disks:
            self._filesystem(disk, vm, key)
        self.vm_id = vm.vm_id
        self.address = key.address
        self.host_key = key.host_key
        self.register_outputs({"address": self.address, "host_key": self.host_key, "vm_id": self.vm_id})

    def native(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a child that the native provider serves."""
        return pulumi.ResourceOptions(parent=self, provider=self._args.site.native, **options)

    def _claim(self, name: str, vm_id: int, *, data: bool) -> VmClaim:
        args, spec = self._args, self._args.spec
        static = [str(nic.address.ip) for nic in spec.nics if nic.address]
        storages = [disk.storage for disk in spec.data_disks] if data else [spec.storage]
        inputs = {
            "vm_id": vm_id,
            "name": name,
            "owner": f"{args.owner}-data" if data else args.owner,
            "node": spec.node,
            "template_id": None if data else spec.template_id,
            "disk_storages": list(dict.fromkeys(storages)),
            "iso_storage": None if data else args.iso_storage,
            "bridges": [] if data else list(args.foreign_bridges),
            "addresses": [] if data else static,
        }
        return VmClaim(f"{name}-claim", inputs, self.native(depends_on=[args.site.claim]))

    def _vm(self, claim: VmClaim, boot: FirstBoot, data_vm: proxmoxve.VmLegacy | None) -> proxmoxve.VmLegacy:
        spec = self._args.spec
        return proxmoxve.VmLegacy(
            f"{self._name}-vm",
            **clone_arguments(spec, self._args.owner, claim.nonce, data_vm),
            **boot.vm_arguments,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self._args.site.proxmox,
                depends_on=[claim],
                protect=spec.protection,
                delete_before_replace=True,  # the id is the same
                replace_with=boot.replaced_together,
                ignore_changes=[
                    "cdrom",
                    *_reported_only(1 + len(spec.data_disks)),
                ],  # the seed leaves the drive  # the seed leaves the drive
            ),
        )

    def _data_vm(self) -> proxmoxve.VmLegacy:
        spec, name = self._args.spec, f"{self._name}-data"
        claim = self._claim(name, spec.data_vm_id or 0, data=True)
        return proxmoxve.VmLegacy(
            f"{name}-vm",
            **data_vm_arguments(spec, name, f"{self._args.owner}-data", claim.nonce),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self._args.site.proxmox,
                depends_on=[claim],
                protect=spec.protection,
                ignore_changes=_reported_only(len(spec.data_disks)),
            ),
        )

    def _filesystem(self, disk: DataDiskSpec, vm: proxmoxve.VmLegacy, key: HostKey) -> Filesystem:
        inputs = {
            "vm": vm.id,
            "host": key.address,
            "host_key": key.host_key,
            "user": self._args.user,
            "slot": disk.slot,
            "size_gib": disk.size_gib,
            "filesystem": disk.filesystem,
            "mount": disk.mount,
        }
        return Filesystem(f"{self._name}-{disk.name}", inputs, self.native(deleted_with=vm))
