"""PortainerServer: Portainer on a Docker host, known to us from its first packet, with its Docker and registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.docker_host import DockerHost
from components.host_steps import HostConnection, StepChain
from components.native import (
    HostStep,
    Password,
    PortainerAccess,
    PortainerEnvironment,
    PortainerRegistry,
    PortainerSettings,
)
from components.release_gate import ReleaseGate
from components.site_access import SiteAccess
from settings.portainer_plan import PortainerPlan

ADMINISTRATOR = "admin"
PASSWORD_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class PortainerServerArgs:
    """A Docker host, and what its Portainer is to be. `password`: the administrator's; None: one is made up."""

    connection: HostConnection
    site: SiteAccess
    docker: DockerHost
    gates: tuple[ReleaseGate, ...]
    """Of all hosts that it deploys to."""
    plan: PortainerPlan
    password: pulumi.Input[str] | None
    registry_password: pulumi.Input[str] | None


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where stacks go: an environment of a server."""

    session: Mapping[str, Any]
    environment_id: pulumi.Output[int]
    done: tuple[pulumi.Resource, ...]


class PortainerServer(pulumi.ComponentResource):
    """An administrator before the port answers, TLS by a key of the host's own, an API key of ours."""

    url: pulumi.Output[str]
    password: pulumi.Output[str]
    """The administrator's, a secret."""
    environment_id: pulumi.Output[int]

    def __init__(self, name: str, args: PortainerServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare container, access, settings, environment, registry."""
        super().__init__("hypercompose:portainer:PortainerServer", name, None, opts)
        self._name, self._args = name, args
        self.password = pulumi.Output.secret(args.password or self._made_up())
        before = [*args.docker.done, *(step for gate in args.gates for step in gate.done)]
        chain = StepChain(self, args.site.native, args.connection, after=before)
        container = chain.add("PortainerServer", "portainer-server", self._container(), "password")
        self.url = pulumi.Output.format("https://{0}:{1}", args.connection.host, args.plan.port)
        access = PortainerAccess(f"{name}-access", self._access(container), self._options(container))
        self.session: Mapping[str, Any] = {
            "url": self.url,
            "certificate": container.certificate,
            "apiKey": access.apiKey,
            "data": container.data,
        }
        told = {**self._vm, "server": self.session}
        settings = {"EnableTelemetry": False, "SnapshotInterval": args.plan.snapshot_interval}
        PortainerSettings(f"{name}-settings", {**told, "settings": settings}, self._options(access))
        environment = {**told, "name": args.connection.name}
        local = PortainerEnvironment(f"{name}-environment", environment, self._options(access))
        self.environment_id = local.environmentId
        self.done: tuple[pulumi.Resource, ...] = (local,)
        if args.plan.registry_host:
            self.done += (PortainerRegistry(f"{name}-registry", {**told, **self._registry()}, self._options(access)),)
        self.register_outputs({"url": self.url, "environment_id": self.environment_id})

    def reaching(self, name: str, docker: DockerHost) -> Target:
        """Another host, by the API that its Docker opens to this one."""
        if docker.api is None:
            raise ValueError(f"{name}: its Docker listens for no Portainer; build_host has been told of none")
        inputs = {**self._vm, "server": self.session, "name": name, "remote": docker.api.remote}
        options = self._options(*self.done, *docker.done)
        environment = PortainerEnvironment(f"{self._name}-environment-{name}", inputs, options)
        done = (*self.done, environment)
        return Target(session=self.session, environment_id=environment.environmentId, done=done)

    @property
    def _vm(self) -> dict[str, Any]:
        """Another VM has another Portainer, which knows nothing of ours."""
        return {"vm": self._args.connection.vm} if self._args.connection.vm is not None else {}

    def _made_up(self) -> pulumi.Output[str]:
        keeper: pulumi.Input[str] = self._args.connection.vm or self._args.connection.name
        if (generation := self._args.plan.password_generation) > 1:
            keeper = pulumi.Output.concat(keeper, f" {generation}")
        inputs = {"length": PASSWORD_LENGTH, "keeper": keeper}
        return Password(f"{self._name}-password", inputs, self._options()).value

    def _container(self) -> dict[str, Any]:
        plan, connection = self._args.plan, self._args.connection
        return {
            "image": plan.image,
            "address": connection.host,
            "port": plan.port,
            "authorities": self._authorities(),
            "labels": dict(plan.labels),
            "password": self.password,
        }

    def _authorities(self) -> pulumi.Output[str]:
        """Whom it trusts: the site's, and its gates."""
        site, gates = self._args.plan.authorities.strip(), [gate.certificate for gate in self._args.gates]
        return pulumi.Output.all(*gates).apply(lambda found: "\n".join(filter(None, [site, *found])))

    def _access(self, container: HostStep) -> dict[str, Any]:
        return {
            **self._vm,
            "url": self.url,
            "certificate": container.certificate,
            "data": container.data,
            "keyGeneration": self._args.plan.key_generation,
            "user": ADMINISTRATOR,
            "password": self.password,
            "description": self._args.plan.owner,
            "accept": [dict(entry) for entry in self._args.plan.accept],
        }

    def _registry(self) -> dict[str, Any]:
        plan = self._args.plan
        login = {"user": plan.registry_user, "password": self._args.registry_password} if plan.registry_user else {}
        return {
            "name": plan.registry_host,
            "kind": plan.registry_kind,
            "url": plan.registry_host,
            **login,
        }

    def _options(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            provider=self._args.site.native,
            depends_on=list(after),
            deleted_with=self._args.connection.gone_with,
        )
