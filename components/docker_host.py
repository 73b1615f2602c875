"""DockerHost: Docker CE on a host, reachable only where that was said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from components.docker_api import DockerApi
from components.host_baseline import DOCKER_API, HostBaseline
from components.host_steps import HostConnection, StepChain
from components.site_access import SiteAccess
from settings.docker_plan import DockerPlan, RegistryPlan


@dataclass(frozen=True, kw_only=True)
class DockerHostArgs:
    """A host with its baseline, and the Docker it gets."""

    connection: HostConnection
    site: SiteAccess
    baseline: HostBaseline
    docker: DockerPlan
    registry_password: pulumi.Input[str] | None
    api: DockerApi | None = None
    """For the Portainer of another host."""


class DockerHost(pulumi.ComponentResource):
    """Docker with its configuration and its firewall in place before it first starts, proven by a container."""

    versions: pulumi.Output[dict[str, str]]
    """Docker's packages and their versions."""

    def __init__(self, name: str, args: DockerHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the chain: repository, configuration, published ports, packages, service, registry, proof."""
        super().__init__("hypercompose:docker:DockerHost", name, None, opts)
        chain = StepChain(self, args.site.native, args.connection, after=args.baseline.done)
        plan = args.docker
        chain.add("DockerRepository", "docker-repository", plan.repositories)
        chain.add("DockerDaemon", "docker-daemon", {"config": plan.daemon})
        chain.add("DockerFirewall", "docker-firewall", _published(plan, args.api))
        packages = chain.add("DockerPackages", "docker-packages", _packages(plan))
        chain.add("DockerService", "docker-service", {"running": True, "enabled": True})
        if args.api and args.api.listener:
            chain.add("DockerListener", "docker-listener", args.api.listener, "key")
        if plan.users:
            chain.add("DockerUsers", "docker-users", {"users": list(plan.users)})
        if plan.registry:
            _registry(chain, plan.registry, args.registry_password)
        self.done, self.api = chain.last, args.api
        self.versions = packages.versions
        self.register_outputs({"versions": self.versions})


def _packages(plan: DockerPlan) -> dict[str, Any]:
    return {"versions": dict(plan.versions), "replace": plan.replace}


def _published(plan: DockerPlan, api: DockerApi | None) -> dict[str, Any]:
    more = {DOCKER_API: api.opening} if api else {}
    return {"published": {**plan.published, **more}, "undeclared": plan.undeclared, "pools": list(plan.pools)}


def _registry(chain: StepChain, registry: RegistryPlan, password: pulumi.Input[str] | None) -> None:
    if registry.ca:
        chain.add("RegistryTrust", "registry-trust", {"registry": registry.host, "ca": registry.ca})
    if registry.user:
        login = {"registry": registry.host, "user": registry.user, "password": password}
        chain.add("RegistryLogin", "registry-login", login, "password")
    if registry.proof_image:
        chain.add("DockerProof", "docker-proof", {"image": registry.proof_image, "port": registry.proof_port})
