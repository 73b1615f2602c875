"""Portainer and the stacks of one host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.docker_host import DockerHost
from components.host_steps import HostConnection
from components.portainer_server import ADMINISTRATOR, PortainerServer, PortainerServerArgs, Target
from components.portainer_stack import PortainerStack, PortainerStackArgs
from components.secrets import Secrets
from components.site_access import SiteAccess
from settings import Program
from settings.host_plan import HostPlan
from settings.stack_plan import StackPlan

Told = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Applications:
    """Everything that runs in containers, declared host by host."""

    program: Program
    site: SiteAccess
    secrets: Secrets
    servers: dict[str, PortainerServer] = field(default_factory=dict)
    """By host; those of other hosts use them, so they are declared first."""

    def on(self, host: HostPlan, connection: HostConnection, docker: DockerHost | None) -> Told:
        """What the outputs tell: of the host's Portainer, and of its stacks by name."""
        if docker is None:
            return {}, {}
        if host.served_by:
            server = self.servers[host.served_by]
            return {}, self._stacks(connection, server, server.reaching(host.name, docker))
        plan = self.program.portainers.get(host.name)
        if plan is None:
            return {}, {}
        arguments = PortainerServerArgs(
            connection=connection,
            site=self.site,
            docker=docker,
            plan=plan,
            password=self.secrets.portainer_password,
            registry_password=self.secrets.registry_password,
        )
        server = PortainerServer(f"{connection.name}-portainer", arguments)
        self.servers[host.name] = server
        told = {host.name: {"url": server.url, "user": ADMINISTRATOR, "password": server.password}}
        return told, self._stacks(connection, server, server)

    def _stacks(
        self, connection: HostConnection, server: PortainerServer, target: PortainerServer | Target
    ) -> dict[str, Any]:
        """Children of the server whichever of its hosts they run on: one that moves stays the same resource."""
        here = [plan for plan in self.program.stacks if plan.host == connection.name]
        options = pulumi.ResourceOptions(parent=server)
        return {plan.name: self._stack(plan, connection, target, options) for plan in here}

    def _stack(
        self,
        plan: StackPlan,
        connection: HostConnection,
        target: PortainerServer | Target,
        options: pulumi.ResourceOptions,
    ) -> Mapping[str, Any]:
        program, name = self.program, plan.name
        stack = PortainerStack(
            name,
            PortainerStackArgs(
                connection=connection,
                site=self.site,
                server=target,
                plan=plan,
                git=program.site.git,
                git_password=self.secrets.git_password,
                given=self.secrets.stacks.get(name, {}),
                environment=program.stack,
                owner=f"{program.site.id}/{program.stack}/{name}",
            ),
            options,
        )
        return {
            "host": plan.host,
            "commit": stack.commit,
            "images": stack.images,
            "digests": stack.images.apply(digests),
            "ports": dict(plan.ports),
            "urls": stack.urls,
        }


def digests(images: Mapping[str, str]) -> dict[str, str]:
    """The digest of each image that is named by one."""
    named = {service: image.partition("@")[2] for service, image in images.items()}
    return {service: digest for service, digest in named.items() if digest.startswith("sha256:")}
