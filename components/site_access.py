"""The site as a stack reaches it: both providers, and the claim that this state belongs to it."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_proxmoxve as proxmoxve

from components.native import Limits, NativeProvider, SiteClaim
from components.secrets import Secrets
from settings import Site
from settings.limits import EVERYTHING
from settings.limits import Limits as LimitSettings

Limited = tuple[LimitSettings, Mapping[str, Mapping[str, str]]]
"""The limits, and the things of the stack as settings.limits.things gives them."""


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
        limited: Limited | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Take the site, the secrets for it, and the limits of the stack where it has some."""
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
            pulumi.ResourceOptions(
                parent=self, provider=self.native, depends_on=self._limits(f"{name}-limits", limited)
            ),
        )
        self.proxmox = proxmoxve.Provider(
            f"{name}-proxmox",
            endpoint=site.proxmox.endpoint,
            api_token=secrets.api_token,
            opts=mine,
        )
        self.register_outputs({"site_id": site.id})

    def _limits(self, name: str, limited: Limited | None) -> list[pulumi.Resource]:
        """Before the claim, and so before everything. Protected: neither `destroy` nor their removal goes past them."""
        if limited is None:
            return []
        limits, things = limited
        inputs = {"kinds": list(limits.kinds), "allow": list(limits.allow), "things": dict(things)}
        protect = EVERYTHING not in limits.allow
        return [Limits(name, inputs, pulumi.ResourceOptions(parent=self, provider=self.native, protect=protect))]
