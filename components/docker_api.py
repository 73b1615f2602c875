"""DockerApi: the Docker of a host, for the Portainer of another host and nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.host_steps import HostConnection
from components.native import NativeProvider, TlsAuthority, TlsCertificate
from components.site_access import SiteAccess

DOCKER_PORT, AGENT_PORT = 2376, 9001


@dataclass(frozen=True, kw_only=True)
class DockerApiArgs:
    """`connection`: the host; `server`: the one with Portainer. `via`: tls, or agent for one that is there already."""

    connection: HostConnection
    server: HostConnection
    site: SiteAccess
    via: str
    gate_port: int | None = None
    """Of the gate on the host, which Portainer reads as well."""


class DockerApi(pulumi.ComponentResource):
    """An authority of the host's own, a certificate for its Docker, one for Portainer as its only client."""

    listener: Mapping[str, Any] | None
    """Arguments of the host's step; None where an agent listens."""
    remote: Mapping[str, Any]
    """As Portainer's environment takes it."""
    opening: Mapping[str, Any]
    """Who reaches that port."""
    host_opening: Mapping[str, Any]
    """What the host's own firewall lets in: also what Portainer asks of the gate."""

    def __init__(self, name: str, args: DockerApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare the certificates."""
        super().__init__("hypercompose:docker:DockerApi", name, None, opts)
        host = args.connection.host
        port = DOCKER_PORT if args.via == "tls" else AGENT_PORT
        url = pulumi.Output.format("tcp://{0}:{1}", host, port)
        from_server = {"sources": [pulumi.Output.concat(args.server.host, "/32")]}
        self.opening = {"ports": [f"{port}/tcp"], **from_server}
        ports = [f"{number}/tcp" for number in (port, args.gate_port) if number]
        self.host_opening = {"ports": ports, **from_server}
        if args.via == "tls":
            signed = self._authority(name, args.site.native)
            own = self._certificate(f"{name}-server", signed, args.site.native, usage="server", addresses=[host])
            client = self._certificate(f"{name}-client", signed, args.site.native, usage="client", addresses=[])
            trusted = {"authority": signed["certificate"]}
            self.listener = {"address": host, "port": port, **trusted, **own}
            self.remote = {"url": url, **trusted, **client}
        else:
            self.listener, self.remote = None, {"url": url, "agent": True}
        self.register_outputs({"url": url})

    def _authority(self, name: str, native: NativeProvider) -> dict[str, Any]:
        options = pulumi.ResourceOptions(parent=self, provider=native)
        made = TlsAuthority(f"{name}-authority", {"name": name}, options)
        return {"certificate": made.certificate, "key": made.key}

    def _certificate(
        self, name: str, authority: Mapping[str, Any], native: NativeProvider, **more: Any
    ) -> dict[str, Any]:
        options = pulumi.ResourceOptions(parent=self, provider=native)
        made = TlsCertificate(name, {"name": name, "authority": authority, **more}, options)
        return {"certificate": made.certificate, "key": made.key}
