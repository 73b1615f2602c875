"""All VMs of a stack, with the bridges it owns and the claims that come before the first VM."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi

from components.bridge import OwnedBridge, OwnedVlan
from components.rocky_app_vm import RockyAppVm, RockyAppVmArgs
from components.site_access import SiteAccess
from components.vm_claims import VmClaims, Wanted
from settings import Program


def build_vms(program: Program, site: SiteAccess, keys: tuple[str, ...]) -> list[RockyAppVm]:
    """Every VM of the program; a stack without any declares nothing."""
    vlans = [OwnedVlan(f"{v.node}-{v.name}", v, site) for v in program.owned_vlans()]
    after = pulumi.ResourceOptions(depends_on=vlans)
    bridges = [OwnedBridge(f"{b.node}-{b.name}", b, site, after) for b in program.owned_bridges()]
    wanted = list(_wanted(program))
    claims = VmClaims("claims", site, wanted)
    options = pulumi.ResourceOptions(depends_on=bridges)
    return [RockyAppVm(one.spec.name, _arguments(program, one, claims, site, keys), options) for one in wanted]


def _wanted(program: Program) -> Iterator[Wanted]:
    owned = {bridge.name for bridge in program.owned_bridges()}
    for spec in program.vms:
        yield Wanted(
            spec=spec,
            owner=f"{program.site.id}/{program.stack}/{spec.name}",
            iso_storage=program.site.proxmox.storages.iso,
            bridges=tuple(sorted({nic.bridge for nic in spec.nics} - owned)),
        )


def _arguments(
    program: Program, wanted: Wanted, claims: VmClaims, site: SiteAccess, keys: tuple[str, ...]
) -> RockyAppVmArgs:
    return RockyAppVmArgs(
        wanted=wanted,
        claims=claims,
        site=site,
        user=program.site.ssh.user,
        authorized_keys=keys,
        snippet_storage=program.site.proxmox.storages.snippets,
    )
