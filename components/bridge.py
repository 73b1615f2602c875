"""Network devices of a node that the stack creates and owns."""

from __future__ import annotations

import pulumi
from pulumi_proxmoxve.network import linux

from components.site_access import SiteAccess
from settings.stack import OwnedBridge as OwnedBridgeSettings
from settings.stack import OwnedVlan as OwnedVlanSettings


class OwnedBridge(pulumi.ComponentResource):
    """A Linux bridge, removed with the stack."""

    bridge_name: pulumi.Output[str]

    def __init__(
        self, name: str, settings: OwnedBridgeSettings, site: SiteAccess, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Take the bridge as the settings declare it; `node` must be filled in."""
        super().__init__("hypercompose:network:OwnedBridge", name, None, opts)
        bridge = linux.Bridge(
            f"{name}-bridge",
            node_name=settings.node or "",
            name=settings.name,
            address=str(settings.address) if settings.address else None,
            ports=list(settings.ports),
            vlan_aware=settings.vlan_aware,
            comment=settings.comment,
            opts=pulumi.ResourceOptions(parent=self, provider=site.proxmox, depends_on=[site.claim]),
        )
        self.bridge_name = bridge.name
        self.register_outputs({"bridge_name": self.bridge_name})


class OwnedVlan(pulumi.ComponentResource):
    """A VLAN device such as `eno1.20`, removed with the stack."""

    device_name: pulumi.Output[str]

    def __init__(
        self, name: str, settings: OwnedVlanSettings, site: SiteAccess, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Take the device as the settings declare it; `node` must be filled in."""
        super().__init__("hypercompose:network:OwnedVlan", name, None, opts)
        vlan = linux.Vlan(
            f"{name}-vlan",
            node_name=settings.node or "",
            name=settings.name,
            comment=settings.comment,
            opts=pulumi.ResourceOptions(parent=self, provider=site.proxmox, depends_on=[site.claim]),
        )
        self.device_name = vlan.name
        self.register_outputs({"device_name": self.device_name})
