"""RockyAppVm: from a template to a VM that accepts SSH under a pinned host key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_proxmoxve as proxmoxve

from components.first_boot import FirstBoot, first_boot
from components.host_steps import HostConnection
from components.native import Filesystem, HostKey, VmProof
from components.site_access import SiteAccess
from components.vm_arguments import clone_arguments, data_vm_arguments
from components.vm_claims import VmClaims, Wanted
from settings import VmSpec
from settings.vm_spec import DataDiskSpec

# The seed leaves it at first contact, outside of Pulumi. A replacement takes the new seed all the same (measured)
_SEED_DRIVE = "cdrom"


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

    wanted: Wanted
    claims: VmClaims
    site: SiteAccess
    user: str
    authorized_keys: tuple[str, ...]
    snippet_storage: str | None

    @property
    def spec(self) -> VmSpec:
        """The VM, with nothing left to decide."""
        return self.wanted.spec


class RockyAppVm(pulumi.ComponentResource):
    """A started Rocky Linux VM, cloned from a template, reachable over SSH with a pinned host key."""

    address: pulumi.Output[str]
    """IPv4 address to reach the VM at, known once the VM accepts SSH."""
    host_key: pulumi.Output[str]
    """The public host key that the VM made itself at first contact, `ssh-ed25519 AAAA…`."""
    vm_id: pulumi.Output[int]
    connection: HostConnection
    """How steps reach it, once it is ready."""

    def __init__(self, name: str, args: RockyAppVmArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the chain seed, VM, first contact, host key, data disks."""
        super().__init__("hypercompose:compute:RockyAppVm", name, None, opts)
        self._name, self._args, self.spec = name, args, args.spec
        data_vm = self._data_vm() if args.spec.data_disks else None
        boot = first_boot(name, args, parent=self)
        vm = self._vm(boot, data_vm)
        key = boot.finish(vm)
        mounted = [self._filesystem(disk, vm, key) for disk in args.spec.data_disks]
        self.vm_id = vm.vm_id
        self.address = key.address
        self.host_key = key.host_key
        self.connection = HostConnection(
            name=name,
            host=key.address,
            user=args.user,
            host_key=key.host_key,
            vm=vm.id,
            gone_with=vm,
            ready=(key, *mounted),
        )
        self.register_outputs({"address": self.address, "host_key": self.host_key, "vm_id": self.vm_id})

    def native(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a child that the native provider serves."""
        return pulumi.ResourceOptions(parent=self, provider=self._args.site.native, **options)

    def _vm(self, boot: FirstBoot, data_vm: proxmoxve.VmLegacy | None) -> proxmoxve.VmLegacy:
        spec, claims = self._args.spec, self._args.claims
        proven = [self._proof(data_vm)] if data_vm else []
        return proxmoxve.VmLegacy(
            f"{self._name}-vm",
            **clone_arguments(spec, self._args.wanted.owner, claims.by_name[spec.name].nonce, data_vm),
            **boot.vm_arguments,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self._args.site.proxmox,
                depends_on=[*claims.all, *proven],
                protect=spec.protection,
                delete_before_replace=True,  # the id is the same
                replace_with=boot.replaced_together,
                ignore_changes=[_SEED_DRIVE, *_reported_only(1, len(spec.data_disks))],
            ),
        )

    def _data_vm(self) -> proxmoxve.VmLegacy:
        spec, wanted, claims = self._args.spec, self._args.wanted, self._args.claims
        name = wanted.data_name
        return proxmoxve.VmLegacy(
            f"{name}-vm",
            **data_vm_arguments(spec, name, wanted.data_owner, claims.by_name[name].nonce),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self._args.site.proxmox,
                depends_on=claims.all,
                protect=spec.protection,
                ignore_changes=_reported_only(len(spec.data_disks)),
            ),
        )

    def _proof(self, data_vm: proxmoxve.VmLegacy) -> VmProof:
        wanted, claims = self._args.wanted, self._args.claims
        inputs = {
            "vm": data_vm.id,
            "holder": data_vm.urn,
            "vm_id": wanted.spec.data_vm_id,
            "node": wanted.spec.node,
            "owner": wanted.data_owner,
            "nonce": claims.by_name[wanted.data_name].nonce,
        }
        return VmProof(f"{wanted.data_name}-proof", inputs, self.native(deleted_with=data_vm))

    def _filesystem(self, disk: DataDiskSpec, vm: proxmoxve.VmLegacy, key: HostKey) -> Filesystem:
        inputs = {
            "vm": vm.id,
            "host": key.address,
            "host_key": key.host_key,
            "user": self._args.user,
            "name": disk.name,
            "slot": disk.slot,
            "size_gib": disk.size_gib,
            "filesystem": disk.filesystem,
            "mount": disk.mount,
        }
        return Filesystem(f"{self._name}-{disk.name}", inputs, self.native(deleted_with=vm))
