"""The only reader of pulumi.Config: one stack's settings with its site, checked before anything is registered."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from settings.errors import SettingsError, from_validation
from settings.host_plan import HostPlan, plan_hosts
from settings.plan import plan_vms
from settings.portainer_plan import PortainerPlan, portainer_plans
from settings.site import Site, load_site
from settings.stack import OwnedBridge, OwnedVlan, StackSettings
from settings.stack_plan import StackPlan, opened, plan_stacks
from settings.vm_spec import VmSpec

NAMESPACE = "hypercompose"
SECRETS = frozenset({"ssh_private_key", "registry_password", "git_password", "portainer_password", "stack_secrets"})


@dataclass(frozen=True, kw_only=True)
class Program:
    """What `__main__.py` builds: the stack's name, its site, its settings; the VMs, hosts and stacks that they mean."""

    stack: str
    site: Site
    settings: StackSettings
    vms: tuple[VmSpec, ...]
    hosts: tuple[HostPlan, ...]
    stacks: tuple[StackPlan, ...]
    portainers: Mapping[str, PortainerPlan]
    """By host."""

    def owned_bridges(self) -> tuple[OwnedBridge, ...]:
        """The bridges that the stack creates, each with its node."""
        default = self.site.proxmox.nodes[0]
        return tuple(b.model_copy(update={"node": b.node or default}) for b in self.settings.bridges)

    def owned_vlans(self) -> tuple[OwnedVlan, ...]:
        """The VLAN devices that the stack creates, each with its node."""
        default = self.site.proxmox.nodes[0]
        return tuple(v.model_copy(update={"node": v.node or default}) for v in self.settings.vlans)


def load_program(stack: str, raw: Mapping[str, str]) -> Program:
    """Check the configuration of a stack; `raw` maps full keys to text as Pulumi hands them over.

    `$HYPERCOMPOSE_SITE` wins over the stack's own `site`. Raises SettingsError.
    """
    source = f"Pulumi.{stack}.yaml"
    values = _own_values(raw)
    if site_name := os.environ.get("HYPERCOMPOSE_SITE"):
        values["site"] = site_name
    try:
        settings = StackSettings.model_validate(values)
    except ValidationError as error:
        raise from_validation(source, error, StackSettings) from error
    if settings.stack not in (None, stack):
        raise SettingsError(
            source,
            [f'stack: these settings are those of stack {settings.stack}; type: eval "$(make -s env STACK={stack})"'],
        )
    site = load_site(settings.site)
    vms = plan_vms(site, settings, source)
    hosts = plan_hosts(site, settings, vms, source)
    stacks = plan_stacks(site, settings, stack, hosts)
    opened_hosts = tuple(opened(host, stacks) for host in hosts)
    return Program(
        stack=stack,
        site=site,
        settings=settings,
        vms=vms,
        hosts=opened_hosts,
        stacks=stacks,
        portainers=portainer_plans(site, stack, hosts),
    )


def _own_values(raw: Mapping[str, str]) -> dict[str, Any]:
    """The project's own keys without their namespace; objects and numbers arrive as JSON text."""
    own = {key.partition(":")[2]: text for key, text in raw.items() if key.startswith(f"{NAMESPACE}:")}
    return {key: _decoded(text) for key, text in own.items() if key not in SECRETS}


def _decoded(text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError("Pulumi config", [f"not JSON: {error}"]) from error
