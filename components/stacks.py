"""Gates, Portainer and stacks of all hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.docker_host import DockerHost
from components.host_steps import HostConnection
from components.instance_router import InstanceRouter, InstanceRouterArgs
from components.portainer_server import ADMINISTRATOR, PortainerServer, PortainerServerArgs, Target
from components.portainer_stack import PortainerStack, PortainerStackArgs
from components.release_gate import ReleaseGate, ReleaseGateArgs
from components.secrets import Secrets
from components.site_access import SiteAccess
from components.windows_companion_link import WindowsCompanionLink
from settings import Program
from settings.host_plan import HostPlan
from settings.stack_plan import StackPlan

Told = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """A host with Docker."""

    host: HostPlan
    connection: HostConnection
    docker: DockerHost


@dataclass(frozen=True, kw_only=True)
class Applications:
    """Everything that runs in containers."""

    program: Program
    site: SiteAccess
    secrets: Secrets
    places: Mapping[str, HostConnection]
    """Every host of the stack by name."""
    links: Mapping[str, WindowsCompanionLink] = field(default_factory=dict)
    webhooks: dict[str, pulumi.Output[str]] = field(default_factory=dict)
    """By stack, as they are declared: secrets."""
    stacks: dict[str, PortainerStack] = field(default_factory=dict)
    """As they are declared."""
    hosting: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """By host, as they are declared: what instances of products may have of it."""
    hosting_keys: dict[str, pulumi.Output[str]] = field(default_factory=dict)
    """By host: secrets."""

    def on(self, grounds: Sequence[Ground]) -> Told:
        """What the outputs tell: of Portainer by host, and of stacks by name."""
        used = {ground: ground.host.portainer for ground in grounds if ground.host.portainer}
        gates = {ground.host.name: self._gate(ground, settings.gate_port) for ground, settings in used.items()}
        servers = {
            ground.host.name: self._server(ground, gates, list(used)) for ground in used if ground.host.has_server
        }
        stacks: dict[str, Any] = {}
        for ground in used:
            server = servers[ground.host.served_by or ground.host.name]
            name, gate = ground.host.name, gates[ground.host.name]
            target = server.reaching(name, ground.docker) if ground.host.served_by else server
            # children of the server whichever of its hosts they run on: one that moves stays the same resource
            options = pulumi.ResourceOptions(parent=server)
            self._offer(ground, target)
            for plan in self.program.stacks:
                if plan.host == name:
                    stacks[plan.name] = self._stack(plan, ground, target, gate, options)
        told = {
            name: {"url": server.url, "user": ADMINISTRATOR, "password": server.password}
            for name, server in servers.items()
        }
        return told, stacks

    def _gate(self, ground: Ground, port: int) -> ReleaseGate:
        arguments = ReleaseGateArgs(connection=ground.connection, site=self.site, docker=ground.docker, port=port)
        return ReleaseGate(f"{ground.host.name}-gate", arguments)

    def _server(self, ground: Ground, gates: Mapping[str, ReleaseGate], grounds: Sequence[Ground]) -> PortainerServer:
        name = ground.host.name
        served = [name, *(other.host.name for other in grounds if other.host.served_by == name)]
        arguments = PortainerServerArgs(
            connection=ground.connection,
            site=self.site,
            docker=ground.docker,
            gates=tuple(gates[each] for each in served),
            plan=self.program.portainers[name],
            password=self.secrets.portainer_password,
            registry_password=self.secrets.registry_password,
        )
        return PortainerServer(f"{name}-portainer", arguments)

    def _stack(
        self,
        plan: StackPlan,
        ground: Ground,
        target: PortainerServer | Target,
        gate: ReleaseGate,
        options: pulumi.ResourceOptions,
    ) -> Mapping[str, Any]:
        program, name = self.program, plan.name
        server = program.portainers[ground.host.served_by or ground.host.name]
        stack = PortainerStack(
            name,
            PortainerStackArgs(
                connection=ground.connection,
                native=self.site.native,
                server=target,
                gate=gate,
                plan=plan,
                git=program.site.git,
                git_authorities=server.authorities,
                git_password=self.secrets.git_password,
                given=self.secrets.stacks.get(name, {}),
                environment=program.stack,
                owner=f"{program.site.id}/{program.stack}/{name}",
                old_place=self._old_place(plan),
                links=[self.links[link] for link in plan.settings.links],
            ),
            options,
        )
        self.stacks[name] = stack
        if stack.webhook is not None:
            self.webhooks[name] = stack.webhook
        return {
            "host": plan.host,
            "commit": stack.commit,
            "asked": stack.asked,
            "why": stack.why,
            "images": stack.images,
            "digests": stack.images.apply(digests),
            "ports": dict(plan.ports),
            "urls": stack.urls,
        }

    def _offer(self, ground: Ground, target: PortainerServer | Target) -> None:
        """What the host has for instances, for the stacks of their own that read it."""
        settings = self.program.settings.hosting.get(ground.host.name)
        if settings is None:
            return
        session = target.session
        self.hosting[ground.host.name] = {
            "address": ground.connection.host,
            "first_port": settings.first_port,
            "last_port": settings.last_port,
            "memory_mib": settings.memory_mib,
            "networks": settings.networks,
            "is_open": settings.is_open,
            "portainer": session["url"],
            "environment_id": target.environment_id,
            "certificate": session["certificate"],
            "data": session["data"],
            **self._names(ground),
        }
        self.hosting_keys[ground.host.name] = pulumi.Output.secret(session["apiKey"])

    def _names(self, ground: Ground) -> Mapping[str, Any]:
        """Where the host gives names to its instances."""
        plan = self.program.routers.get(ground.host.name)
        if plan is None:
            return {}
        key = self.secrets.route_keys.get(ground.host.name)
        arguments = InstanceRouterArgs(
            connection=ground.connection, site=self.site, docker=ground.docker, plan=plan, key=key
        )
        router = InstanceRouter(f"{ground.host.name}-router", arguments)
        return {"domain": plan.domain, "route_port": plan.port, "authority": router.authority}

    def _old_place(self, plan: StackPlan) -> HostConnection | None:
        moved = plan.settings.moved_from
        return self.places[moved.host] if moved and moved.host else None


def digests(images: Mapping[str, str]) -> dict[str, str]:
    """The digest of each image that is named by one."""
    named = {service: image.partition("@")[2] for service, image in images.items()}
    return {service: digest for service, digest in named.items() if digest.startswith("sha256:")}
