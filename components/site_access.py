"""The site as a stack reaches it: both providers, and the claim that this state belongs to it."""

from __future__ import annotations

import pulumi
import pulumi_proxmoxve as proxmoxve

from components.native import NativeProvider, SiteClaim
from components.secrets import Secrets
from settings import Site


class SiteAccess(pulumi.ComponentResource):
    """Everything else of the stack depends on the claim, and is made through these providers."""

    proxmox: proxmoxve.Provider
    native: NativeProvider
    claim: SiteClaim

    def __init__(
        self,
        name: str,
        site: Site,
        secrets: Secrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Take the site and the secrets for it."""
        super().__init__("hypercompose:site:SiteAccess", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        self.native = NativeProvider(
            f"{name}-native",
            {
                "endpoint": site.proxmox.endpoint,
                "ca": str(site.proxmox.ca) if site.proxmox.ca else None,
                "api_token": secrets.api_token,
                "ssh_private_key": secrets.ssh_private_key,
            },
            mine,
        )
        self.claim = SiteClaim(
            f"{name}-claim",
            {"site_id": site.id, "nodes": list(site.proxmox.nodes)},
            pulumi.ResourceOptions(parent=self, provider=self.native),
        )
        self.proxmox = proxmoxve.Provider(
            f"{name}-proxmox",
            endpoint=site.proxmox.endpoint,
            api_token=secrets.api_token,
            opts=mine,
        )
        self.register_outputs({"site_id": site.id})
