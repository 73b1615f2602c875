"""The program: reads the settings, declares the components, exports the outputs."""

from __future__ import annotations

import pulumi
from pulumi.runtime.config import CONFIG

from components import OwnedBridge, RockyAppVm, RockyAppVmArgs, SiteAccess
from components.site_access import Credentials
from settings import Program, SettingsError, VmSpec, load_program


def main() -> None:
    """Declare one stack on its site."""
    try:
        # all keys, not single ones: a misspelt key must be found as well
        program = load_program(pulumi.get_stack(), CONFIG.get())
        keys = program.site.authorized_keys()
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    site = SiteAccess("site", program.site, _credentials())
    bridges = [OwnedBridge(f"{b.node}-{b.name}", b, site) for b in program.owned_bridges()]
    options = pulumi.ResourceOptions(depends_on=bridges)
    vms = [RockyAppVm(spec.name, _arguments(program, spec, site, keys), options) for spec in program.vms]
    pulumi.export("site", program.site.id)
    pulumi.export("hosts", {vm.spec.name: _host(vm, program.site.ssh.user) for vm in vms})


def _credentials() -> Credentials:
    return Credentials(
        api_token=pulumi.Config("proxmoxve").get_secret("apiToken"),
        ssh_private_key=pulumi.Config("hypercompose").get_secret("ssh_private_key"),
    )


def _arguments(program: Program, spec: VmSpec, site: SiteAccess, keys: tuple[str, ...]) -> RockyAppVmArgs:
    owned = {bridge.name for bridge in program.owned_bridges()}
    return RockyAppVmArgs(
        spec=spec,
        site=site,
        owner=f"{program.site.id}/{program.stack}/{spec.name}",
        user=program.site.ssh.user,
        authorized_keys=keys,
        iso_storage=program.site.proxmox.storages.iso,
        snippet_storage=program.site.proxmox.storages.snippets,
        foreign_bridges=tuple(sorted({nic.bridge for nic in spec.nics} - owned)),
    )


def _host(vm: RockyAppVm, user: str) -> dict[str, object]:
    own = {"vm_id": vm.vm_id, "address": vm.address, "host_key": vm.host_key}
    return {**own, "user": user, "node": vm.spec.node, "os": "linux"}


main()
