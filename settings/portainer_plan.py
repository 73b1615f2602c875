"""Portainer on one host, with nothing left to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from settings.errors import SettingsError
from settings.host_plan import HostPlan
from settings.image_lock import image_lookup
from settings.portainer import PortainerSettings
from settings.site import Site


@dataclass(frozen=True, kw_only=True)
class PortainerPlan:
    """`image` is a reference by digest; `authorities` is PEM text of those whose certificates it trusts."""

    image: str
    port: int
    gate_port: int
    snapshot_interval: str
    authorities: str
    labels: Mapping[str, str]
    owner: str
    accept: tuple[Mapping[str, str], ...]
    registry_host: str | None
    registry_kind: str
    registry_user: str | None
    key_generation: int = 1
    password_generation: int = 1


def plan_portainer(site: Site, stack: str, host: str, settings: PortainerSettings) -> PortainerPlan:
    """Raises SettingsError for an image that the lock does not hold."""
    try:
        image = image_lookup(site)(settings.image)
    except ValueError as error:
        raise SettingsError(f"Pulumi.{stack}.yaml", [f"portainer.image: {error}"]) from error
    labels = {"env": stack, "stack": "portainer", "tenant": site.id, "instance": host, "product": "portainer"}
    return PortainerPlan(
        image=image,
        port=settings.port,
        gate_port=settings.gate_port,
        snapshot_interval=settings.snapshot_interval,
        authorities=site.text_of("git.ca", site.git.ca) if site.git and site.git.ca else "",
        labels={f"hypercompose.{key}": value for key, value in labels.items()},
        owner=f"hypercompose {site.id}/{stack}/{host}",
        accept=tuple(entry.model_dump() for entry in (site.portainer.accept if site.portainer else ())),
        registry_host=site.registry.host if site.registry else None,
        registry_kind=site.registry.kind if site.registry else "custom",
        registry_user=site.registry.user if site.registry else None,
        key_generation=settings.key_generation,
        password_generation=settings.password_generation,
    )


def portainer_plans(site: Site, stack: str, hosts: tuple[HostPlan, ...]) -> dict[str, PortainerPlan]:
    """By host, for those that get one."""
    return {
        host.name: plan_portainer(site, stack, host.name, host.portainer)
        for host in hosts
        if host.portainer and host.has_server
    }
