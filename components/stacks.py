"""Portainer and the stacks of one host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.docker_host import DockerHost
from components.host_steps import HostConnection
from components.portainer_server import ADMINISTRATOR, PortainerServer, PortainerServerArgs
from components.portainer_stack import PortainerStack, PortainerStackArgs
from components.release_gate import ReleaseGate, ReleaseGateArgs
from components.secrets import Secrets
from components.site_access import SiteAccess
from settings import Program
from settings.stack_plan import StackPlan


@dataclass(frozen=True, kw_only=True)
class Applications:
    """Everything that runs in containers, declared host by host."""

    program: Program
    site: SiteAccess
    secrets: Secrets
    places: Mapping[str, HostConnection]
    """Every host of the stack by name."""
    webhooks: dict[str, pulumi.Output[str]] = field(default_factory=dict)
    """By stack, as they are declared: secrets."""

    def on(self, connection: HostConnection, docker: DockerHost | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the outputs tell: of the host's Portainer, and of its stacks by name."""
        plan = self.program.portainers.get(connection.name)
        if plan is None or docker is None:
            return {}, {}
        gate = ReleaseGate(
            f"{connection.name}-gate",
            ReleaseGateArgs(connection=connection, site=self.site, docker=docker, port=plan.gate_port),
        )
        arguments = PortainerServerArgs(
            connection=connection,
            site=self.site,
            docker=docker,
            gate=gate,
            plan=plan,
            password=self.secrets.portainer_password,
            registry_password=self.secrets.registry_password,
        )
        server = PortainerServer(f"{connection.name}-portainer", arguments)
        here = [plan for plan in self.program.stacks if plan.host == connection.name]
        stacks = {plan.name: self._stack(plan, connection, server, gate) for plan in here}
        return {connection.name: {"url": server.url, "user": ADMINISTRATOR, "password": server.password}}, stacks

    def _stack(
        self, plan: StackPlan, connection: HostConnection, server: PortainerServer, gate: ReleaseGate
    ) -> Mapping[str, Any]:
        program, name = self.program, plan.name
        stack = PortainerStack(
            name,
            PortainerStackArgs(
                connection=connection,
                site=self.site,
                server=server,
                gate=gate,
                plan=plan,
                git=program.site.git,
                git_authorities=self.program.portainers[connection.name].authorities,
                git_password=self.secrets.git_password,
                given=self.secrets.stacks.get(name, {}),
                environment=program.stack,
                owner=f"{program.site.id}/{program.stack}/{name}",
                old_place=self._old_place(plan),
            ),
            pulumi.ResourceOptions(parent=server),
        )
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

    def _old_place(self, plan: StackPlan) -> HostConnection | None:
        moved = plan.settings.moved_from
        return self.places[moved.host] if moved and moved.host else None


def digests(images: Mapping[str, str]) -> dict[str, str]:
    """The digest of each image that is named by one."""
    named = {service: image.partition("@")[2] for service, image in images.items()}
    return {service: digest for service, digest in named.items() if digest.startswith("sha256:")}
