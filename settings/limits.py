"""What an `up` of a stack may not delete or replace, unless the same commit says so by name."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from settings.site import Model

if TYPE_CHECKING:
    from settings.program import Program
    from settings.vm_spec import VmSpec

Kind = Literal["vm", "data", "portainer", "stack"]
EVERYTHING = "*"


class Limits(Model):
    """Deleting or replacing a thing of these kinds is refused before anything is done, by plain `pulumi up` as well."""

    kinds: tuple[Kind, ...] = Field(
        ("vm", "data", "portainer", "stack"),
        min_length=1,
        description="VMs, data disks, Portainer servers (by host), compose stacks",
    )
    allow: tuple[Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._/-]{0,127})$")], ...] = Field(
        (),
        description="what may go or be replaced all the same, by name (a data disk is `<vm>/<disk>`); `*`: all of it, "
        "and the stack as a whole; take it out again afterwards",
        examples=[["vm-casino-x-app-2"]],
    )


def things(program: Program) -> dict[str, dict[str, str]]:
    """Kind -> name -> what it is made of: a thing whose text changes is another one, so the old one is replaced."""
    found: dict[str, dict[str, str]] = {"vm": {}, "data": {}, "portainer": {}, "stack": {}}
    for vm in program.vms:
        found["vm"][vm.name] = _made_of(*_of_first_boot(program, vm))
        for disk in vm.data_disks:
            found["data"][f"{vm.name}/{disk.name}"] = _made_of(vm.data_vm_id, vm.node, disk.slot, disk.storage)
    found["portainer"] = dict.fromkeys(program.portainers, "")
    found["stack"] = {stack.name: _made_of(stack.host, stack.path, stack.git) for stack in program.stacks}
    return found


def limited(program: Program) -> tuple[Limits, dict[str, dict[str, str]]] | None:
    """The stack's limits with its things; None for a stack without limits."""
    return (program.settings.limits, things(program)) if program.settings.limits else None


def _of_first_boot(program: Program, vm: VmSpec) -> list[object]:
    """What a VM cannot change without becoming another one: what its seed says once, and what it is cloned from."""
    nics = [(nic.mac, nic.address, nic.gateway) for nic in vm.nics]
    seed = [program.site.proxmox.storages.iso, vm.domain, program.site.ssh.user, nics, vm.dns, vm.host_key]
    return [vm.vm_id, vm.node, vm.template_id, vm.full_clone, vm.storage, *seed]


def _made_of(*values: object) -> str:
    return hashlib.sha256(json.dumps(values, default=str).encode()).hexdigest()[:16]
