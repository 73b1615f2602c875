"""The program: reads the settings, declares the components, exports the outputs."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi
from pulumi.runtime.config import CONFIG

from components import OwnedBridge, OwnedVlan, RockyAppVm, RockyAppVmArgs, SiteAccess, VmClaims, Wanted
from components.site_access import Credentials
from settings import Program, SettingsError, load_program


def main() -> None:
    """Declare one stack on its site."""
    try:
        # all keys, not single ones: a misspelt key must be found as well
        program = load_program(pulumi.get_stack(), CONFIG.get())
        keys = program.site.authorized_keys()
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    site = SiteAccess("site", program.site, _credentials())
    vlans = [OwnedVlan(f"{v.node}-{v.name}", v, site) for v in program.owned_vlans()]
    after = pulumi.ResourceOptions(depends_on=vlans)
    bridges = [OwnedBridge(f"{b.node}-{b.name}", b, site, after) for b in program.owned_bridges()]
    wanted = list(_wanted(program))
    claims = VmClaims("claims", site, wanted)
    options = pulumi.ResourceOptions(depends_on=bridges)
    vms = [RockyAppVm(one.spec.name, _arguments(program, one, claims, site, keys), options) for one in wanted]
    pulumi.export("site", program.site.id)
    pulumi.export("hosts", {vm.spec.name: _host(vm, program.site.ssh.user) for vm in vms})


def _credentials() -> Credentials:
    return Credentials(
        api_token=pulumi.Config("proxmoxve").get_secret("apiToken"),
        ssh_private_key=pulumi.Config("hypercompose").get_secret("ssh_private_key"),
    )


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


def _host(vm: RockyAppVm, user: str) -> dict[str, object]:
    own = {"vm_id": vm.vm_id, "address": vm.address, "host_key": vm.host_key}
    return {**own, "user": user, "node": vm.spec.node, "os": "linux"}


main()
