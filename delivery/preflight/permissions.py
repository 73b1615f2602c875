"""What the token may do, against what `up` of this stack does: each missing privilege with its path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from delivery.preflight.check import About, Check
from delivery.preflight.declared import TOKEN_KEY, TOKEN_VARIABLE
from delivery.preflight.scope import Scope
from provisioning import privileges
from provisioning.errors import ProvisioningError
from provisioning.inventory import Inventory, Question, held_on
from provisioning.privileges import Need
from settings import VmSpec
from settings.stack import HostKeyMethod

REMEDY = (
    "pveum role modify ROLE --append 1 --privs {privilege} (ROLE: what {token} has there; with privilege separation "
    "its user needs it too)"
)


def permission_questions(scope: Scope, inventory: Inventory) -> Iterator[Question]:
    """What has to be asked."""
    return (held_on(need.path) for need in needs(scope, inventory))


def needs(scope: Scope, inventory: Inventory) -> list[Need]:
    """Everything that `up` does on this site for this stack."""
    found = [need for vm in scope.program.vms for need in _of_vm(scope, inventory, vm)]
    for node in scope.owned_on():
        found += privileges.of_node_networks(node)
    return list(dict.fromkeys(found))


def _of_vm(scope: Scope, inventory: Inventory, vm: VmSpec) -> Iterator[Need]:
    storages = scope.site.proxmox.storages
    yield from privileges.of_vm(vm.vm_id)
    reads_files = vm.host_key is HostKeyMethod.AGENT
    if reads_files or vm.nics[0].address is None:  # only a static address is known without asking
        yield from privileges.of_agent(vm.vm_id, reads_files=reads_files)
    if vm.host_key is HostKeyMethod.SEED_ISO:
        yield from privileges.of_uploads(storages.iso)
    else:
        yield from privileges.of_cloud_init(vm.vm_id)
    if vm.host_key is HostKeyMethod.SNIPPET and storages.snippets:
        yield privileges.of_reading(storages.snippets)
    yield from privileges.of_disks(vm.storage)
    if vm.data_vm_id is not None:
        yield from privileges.of_data_vm(vm.data_vm_id)
        for disk in vm.data_disks:
            yield from privileges.of_disks(disk.storage, shared_between_vms=True)
    for nic in vm.nics:
        yield from privileges.of_bridge(nic.bridge, nic.vlan)
    yield from _of_template(inventory, vm)


def _of_template(inventory: Inventory, vm: VmSpec) -> Iterator[Need]:
    yield from privileges.of_template(vm.template_id)
    try:
        parts = inventory.template(vm.node, vm.template_id)
    except ProvisioningError:
        return  # the template's own line says so
    for bridge in parts.bridges:
        yield from privileges.of_bridge(bridge)
    if parts.storage and not vm.full_clone:
        yield from privileges.of_disks(parts.storage)


def check_permissions(scope: Scope, inventory: Inventory) -> Iterator[Check]:
    """A line for each privilege that is missing; one line for all where none is."""
    if because := scope.unusable("vms"):
        yield About(name="permission").unknown(because)
        return
    missing: dict[str, list[str]] = defaultdict(list)
    unknown: dict[str, str] = {}
    wanted = needs(scope, inventory)
    for need in wanted:
        try:
            if not need.is_met(inventory.held(need.path)):
                missing[need.privilege].append(need.path)
        except ProvisioningError as error:
            unknown[need.path] = str(error)
    for privilege, paths in missing.items():
        about = About(name="permission", subject=privilege)
        remedy = REMEDY.format(privilege=privilege, token=_token_id(scope))
        yield about.failed(f"missing on {', '.join(paths)}", remedy)
    for path, because in unknown.items():
        yield About(name="permission", subject=path).unknown(because)
    if not missing and not unknown:
        count = len({need.path for need in wanted})
        yield About(name="permission").passed(f"all {len(wanted)} that this stack needs, on {count} paths")


def _token_id(scope: Scope) -> str:
    found = (scope.secret(TOKEN_KEY, TOKEN_VARIABLE).value or "").partition("=")[0]
    return found or "the token"
