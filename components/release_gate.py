"""ReleaseGate: on a Docker host, between the refs that people push to and those that Portainer follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.docker_host import DockerHost
from components.host_steps import HostConnection, StepChain
from components.native import Password
from components.site_access import SiteAccess

READER = "portainer"
PASSWORD_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class ReleaseGateArgs:
    """A Docker host, and the port of its gate."""

    connection: HostConnection
    site: SiteAccess
    docker: DockerHost
    port: int


class ReleaseGate(pulumi.ComponentResource):
    """A service of the host's own: it goes on while no `pulumi` runs."""

    url: pulumi.Output[str]
    certificate: pulumi.Output[str]
    """That Portainer is to trust."""

    def __init__(self, name: str, args: ReleaseGateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the password of its reader, and the service."""
        super().__init__("hypercompose:gate:ReleaseGate", name, None, opts)
        keeper = {"length": PASSWORD_LENGTH, "keeper": args.connection.vm or args.connection.name}
        options = pulumi.ResourceOptions(parent=self, provider=args.site.native, deleted_with=args.connection.gone_with)
        self._password: pulumi.Output[str] = pulumi.Output.secret(Password(f"{name}-password", keeper, options).value)
        chain = StepChain(self, args.site.native, args.connection, after=args.docker.done)
        place = {"address": args.connection.host, "port": args.port, "password": self._password}
        self.certificate = chain.add("ReleaseGate", "release-gate", place, "password").certificate
        self.url = pulumi.Output.format("https://{0}:{1}", args.connection.host, args.port)
        self.done = chain.last
        self.register_outputs({"url": self.url})

    def source(self, stack: str) -> Mapping[str, pulumi.Input[object]]:
        """Where Portainer finds the releases of a stack."""
        return {
            "url": pulumi.Output.concat(self.url, f"/{stack}.git"),
            "ref": "refs/heads/release",
            "path": "compose.yaml",
            "additional": [],
            "user": READER,
            "password": self._password,
        }
