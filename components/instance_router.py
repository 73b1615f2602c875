"""InstanceRouter: names with TLS for the instances of a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.docker_host import DockerHost
from components.host_steps import HostConnection, StepChain
from components.native import TlsAuthority, TlsCertificate
from components.site_access import SiteAccess
from settings.router_plan import RouterPlan

Pair = tuple[pulumi.Input[str], pulumi.Input[str]]
"""Certificate and key."""


@dataclass(frozen=True, kw_only=True)
class InstanceRouterArgs:
    """A Docker host and its router. `key`: of the certificate that the plan gives; None where it gives none."""

    connection: HostConnection
    site: SiteAccess
    docker: DockerHost
    plan: RouterPlan
    key: pulumi.Input[str] | None


class InstanceRouter(pulumi.ComponentResource):
    """Done when it answers. Which names there are is said by the stacks of the instances, each for its own."""

    authority: pulumi.Output[str | None]
    """Certificate of who vouches for the names (PEM); None where the site gives the certificate."""

    def __init__(self, name: str, args: InstanceRouterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare authority and certificate where none is given, then the container."""
        super().__init__("hypercompose:hosting:InstanceRouter", name, None, opts)
        self.authority = pulumi.Output.from_input(None)
        certificate, key = self._given(args) or self._made(name, args)
        chain = StepChain(self, args.site.native, args.connection, after=args.docker.done)
        chain.add("Router", "router", {**_container(args.plan), "certificate": certificate, "key": key}, "key")
        self.done = chain.last
        self.register_outputs({"authority": self.authority})

    def _given(self, args: InstanceRouterArgs) -> Pair | None:
        if args.plan.certificate is None or args.key is None:
            return None
        return args.plan.certificate, pulumi.Output.secret(args.key)

    def _made(self, name: str, args: InstanceRouterArgs) -> Pair:
        """An authority that can vouch for this domain alone: nobody who trusts it has to trust us with more."""
        domain, options = args.plan.domain, pulumi.ResourceOptions(parent=self, provider=args.site.native)
        about = {"name": f"Hypercompose {domain}", "domains": [domain]}
        authority = TlsAuthority(f"{name}-authority", about, options)
        self.authority = authority.certificate
        signed = {
            "name": f"*.{domain}",
            "usage": "server",
            "addresses": [f"*.{domain}", domain],
            "authority": {"certificate": authority.certificate, "key": authority.key},
        }
        made = TlsCertificate(f"{name}-certificate", signed, options)
        return made.certificate, made.key


def _container(plan: RouterPlan) -> Mapping[str, object]:
    return {
        "image": plan.image,
        "domain": plan.domain,
        "port": plan.port,
        "http_port": plan.http_port,
        "labels": dict(plan.labels),
    }
