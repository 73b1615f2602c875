"""The only reader of pulumi.Config: one stack's settings with its site, checked before anything is registered."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import ValidationError

from settings.environment import layers_of
from settings.errors import SettingsError, from_validation
from settings.host_plan import HostPlan, plan_hosts
from settings.layers import Layer, Layers
from settings.link_plan import LinkPlan, plan_links
from settings.plan import plan_vms
from settings.portainer_plan import PortainerPlan, portainer_plans
from settings.router_plan import RouterPlan, router_plans
from settings.site import Site, load_site
from settings.stack import OwnedBridge, OwnedVlan, StackSettings
from settings.stack_plan import StackPlan, opened, plan_stacks
from settings.vm_spec import VmSpec

Value = TypeVar("Value")
NAMESPACE = "hypercompose"
SECRETS = frozenset(
    "ssh_private_key registry_password git_password portainer_password portainer_backup_password stack_secrets "
    "link_passwords link_secrets route_keys".split()
)


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
    links: tuple[LinkPlan, ...] = ()
    routers: Mapping[str, RouterPlan] = field(default_factory=dict)
    """By host."""

    def owned_bridges(self) -> tuple[OwnedBridge, ...]:
        """The bridges that the stack creates, each with its node."""
        default = self.site.proxmox.nodes[0]
        return tuple(b.model_copy(update={"node": b.node or default}) for b in self.settings.bridges)

    def owned_vlans(self) -> tuple[OwnedVlan, ...]:
        """The VLAN devices that the stack creates, each with its node."""
        default = self.site.proxmox.nodes[0]
        return tuple(v.model_copy(update={"node": v.node or default}) for v in self.settings.vlans)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """As much of a stack's settings as can be used; parts named in `errors` are empty in the program."""

    program: Program | None
    """None where not even the site is known."""
    errors: Mapping[str, SettingsError]
    """By part, in the order in which they are read: settings, site, vms, hosts, stacks, portainers, routers, links."""
    layers: Layers
    """Which file says what."""


def load_program(stack: str, raw: Mapping[str, str]) -> Program:
    """Check the configuration of a stack; `raw` maps full keys to text as Pulumi hands them over.

    `$HYPERCOMPOSE_SITE` wins over the stack's own `site`. Raises SettingsError.
    """
    reading = read_program(stack, raw)
    for error in reading.errors.values():
        raise error
    if reading.program is None:
        raise SettingsError(f"Pulumi.{stack}.yaml", ["nothing could be read"])
    return reading.program


def read_program(stack: str, raw: Mapping[str, str]) -> Reading:
    """The same, past what is wrong: for those who look at everything else all the same."""
    errors: dict[str, SettingsError] = {}
    source, values, site, site_error = f"Pulumi.{stack}.yaml", {}, None, None
    try:
        values = _own_values(raw)
    except SettingsError as error:
        errors["settings"] = error
    if site_name := os.environ.get("HYPERCOMPOSE_SITE"):
        values["site"] = site_name
    try:
        site = load_site(values["site"]) if isinstance(values.get("site"), str) else None
    except SettingsError as error:
        site_error = error
    layers = Layers((Layer(source=source, values=values),))
    try:
        layers = layers_of(source, values, site)
        settings = checked_settings(stack, source, layers.merged())
    except SettingsError as error:
        errors.setdefault("settings", error)
        settings = StackSettings(site=str(values.get("site", "")))
    if site_error is not None:
        errors["site"] = site_error
    program = _planned(stack, source, site, settings, errors) if site is not None else None
    explained = {part: layers.explained(error) for part, error in errors.items()}
    return Reading(program=program, errors=explained, layers=layers)


def checked_settings(stack: str, source: str, values: Mapping[str, Any]) -> StackSettings:
    """Settings by name, all layers merged, as types. Raises SettingsError."""
    try:
        settings = StackSettings.model_validate(values)
    except ValidationError as error:
        raise from_validation(source, error, StackSettings) from error
    if settings.stack not in (None, stack):
        raise SettingsError(
            source,
            [f'stack: these settings are those of stack {settings.stack}; type: eval "$(make -s env STACK={stack})"'],
        )
    return settings


def _planned(stack: str, source: str, site: Site, settings: StackSettings, errors: dict[str, SettingsError]) -> Program:
    """Each plan from those before it; what follows a failed one is not tried, but for what does not need it."""
    program = Program(stack=stack, site=site, settings=settings, vms=(), hosts=(), stacks=(), portainers={})
    try:
        program = replace(program, vms=plan_vms(site, settings, source))
        program = replace(program, hosts=plan_hosts(site, settings, program.vms, source))
    except SettingsError as error:
        errors.setdefault("hosts" if program.vms else "vms", error)
        return program
    hosts = program.hosts
    try:
        stacks = plan_stacks(site, settings, stack, hosts)
        program = replace(
            program, stacks=stacks, hosts=tuple(opened(host, stacks, settings.hosting.get(host.name)) for host in hosts)
        )
    except SettingsError as error:
        errors["stacks"] = error
    try:
        program = replace(program, portainers=portainer_plans(site, stack, hosts))
    except SettingsError as error:
        errors["portainers"] = error
    try:
        program = replace(program, routers=router_plans(site, stack, settings.hosting))
    except SettingsError as error:
        errors["routers"] = error
    try:
        links = plan_links(settings.links, hosts, program.stacks, site.domain, source)
        program = replace(program, links=links)
    except SettingsError as error:
        errors["links"] = error
    return program


def _own_values(raw: Mapping[str, str]) -> dict[str, Any]:
    """The project's own keys without their namespace; objects and numbers arrive as JSON text."""
    return {key: _decoded(text) for key, text in own_keys(raw).items()}


def own_keys(values: Mapping[str, Value]) -> dict[str, Value]:
    """Those of this project, without its namespace and without the secrets."""
    own = {key.partition(":")[2]: value for key, value in values.items() if key.startswith(f"{NAMESPACE}:")}
    return {key: value for key, value in own.items() if key not in SECRETS}


def _decoded(text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError("Pulumi config", [f"not JSON: {error}"]) from error
