"""A host from login to Docker and its own commands, whether it is a VM of the stack or was there before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.docker_api import DockerApi, DockerApiArgs
from components.docker_host import DockerHost, DockerHostArgs
from components.host_baseline import HostBaseline, HostBaselineArgs
from components.host_commands import HostCommands, HostCommandsArgs
from components.host_steps import HostConnection
from components.rocky_app_vm import RockyAppVm
from components.site_access import SiteAccess
from settings.host import ExistingHost
from settings.host_plan import HostPlan


@dataclass(frozen=True, kw_only=True)
class HostAccess:
    """What all hosts of a stack share. `private_key` is asked for only where commands are declared."""

    site: SiteAccess
    stack: str
    site_id: str
    user: str
    registry_password: pulumi.Input[str] | None
    private_key: pulumi.Input[str] | None


def existing_connection(host: ExistingHost, access: HostAccess) -> HostConnection:
    """How to reach a server that is there already."""
    return HostConnection(
        name=host.name,
        host=host.address,
        port=host.port,
        user=host.user or access.user,
        host_key=" ".join(host.host_key.split()[:2]),
    )


@dataclass(frozen=True, kw_only=True)
class Built:
    """A host as far as it is declared. `done`: its last steps."""

    docker: DockerHost | None
    done: Sequence[pulumi.Resource]


def build_host(
    plan: HostPlan, connection: HostConnection, access: HostAccess, server: HostConnection | None = None
) -> Built:
    """Everything that the plan says of a host. `server`: whose Portainer uses it."""
    if not (plan.baseline or plan.docker or plan.commands):
        return Built(docker=None, done=connection.ready)
    owner = f"{access.site_id}/{access.stack}/{plan.name}"
    api = _api(plan, connection, access, server) if server and plan.docker else None
    arguments = HostBaselineArgs(
        connection=connection,
        site=access.site,
        owner=owner,
        baseline=plan.baseline,
        opening=api.host_opening if api else None,
    )
    baseline = HostBaseline(f"{plan.name}-baseline", arguments)
    docker = _docker(plan, connection, access, baseline, api)
    if plan.commands:
        done = {"host": [baseline.claim], "baseline": baseline.done, "docker": docker.done if docker else baseline.done}
        HostCommands(
            f"{plan.name}-commands",
            HostCommandsArgs(
                connection=connection,
                private_key=access.private_key or "",
                commands=plan.commands,
                after=done,
            ),
        )
    return Built(docker=docker, done=docker.done if docker else baseline.done)


def describe(connection: HostConnection, vm: RockyAppVm | None) -> dict[str, object]:
    """A host as the stack's outputs tell of it."""
    place = {"address": connection.host, "port": connection.port, "user": connection.user}
    own = {"vm_id": vm.vm_id, "node": vm.spec.node} if vm else {}
    return {**own, **place, "host_key": connection.host_key, "os": "linux"}


def _api(plan: HostPlan, connection: HostConnection, access: HostAccess, server: HostConnection) -> DockerApi:
    via = plan.portainer.via if plan.portainer else "tls"
    gate_port = plan.portainer.gate_port if plan.portainer else None
    arguments = DockerApiArgs(connection=connection, server=server, site=access.site, via=via, gate_port=gate_port)
    return DockerApi(f"{plan.name}-docker-api", arguments)


def _docker(
    plan: HostPlan, connection: HostConnection, access: HostAccess, baseline: HostBaseline, api: DockerApi | None
) -> DockerHost | None:
    if plan.docker is None:
        return None
    arguments = DockerHostArgs(
        connection=connection,
        site=access.site,
        baseline=baseline,
        docker=plan.docker,
        registry_password=access.registry_password,
        api=api,
    )
    return DockerHost(f"{plan.name}-docker", arguments)
