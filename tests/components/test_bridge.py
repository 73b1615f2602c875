"""Network devices that a stack owns."""

from typing import Any

from components import OwnedBridge, OwnedVlan, SiteAccess
from components.secrets import Secrets
from settings import load_site
from settings.stack import OwnedBridge as BridgeSettings
from settings.stack import OwnedVlan as VlanSettings
from tests.components import recording


def register() -> tuple[Any, Any]:
    def run() -> Any:
        secrets = Secrets(api_token=None, ssh_private_key=None, registry_password=None)
        site = SiteAccess("site", load_site("lab"), secrets)
        vlan = OwnedVlan("pve1-eno1.20", VlanSettings(name="eno1.20", node="pve1", comment="clients"), site)
        settings = BridgeSettings.model_validate(
            {"name": "br_own", "node": "pve1", "address": "10.99.0.1/24", "ports": ["eno1.20"]}
        )
        bridge = OwnedBridge("pve1-br_own", settings, site)
        return {"device": vlan.device_name, "bridge": bridge.bridge_name}

    found: tuple[Any, Any] = recording.record(run)
    return found


def test_a_vlan_device_and_a_bridge_on_it_are_declared_as_the_settings_say() -> None:
    seen, outputs = register()
    assert outputs == {"device": "eno1.20", "bridge": "br_own"}
    vlan, bridge = seen.inputs["pve1-eno1.20-vlan"], seen.inputs["pve1-br_own-bridge"]
    assert (vlan["nodeName"], vlan["name"], vlan["comment"]) == ("pve1", "eno1.20", "clients")
    assert (bridge["name"], bridge["address"], bridge["ports"]) == ("br_own", "10.99.0.1/24", ["eno1.20"])


def test_nothing_is_made_before_the_site_is_claimed() -> None:
    seen, _ = register()
    for name in ("pve1-eno1.20-vlan", "pve1-br_own-bridge"):
        assert "site-claim" in {urn.rpartition("::")[2] for urn in seen.requests[name].dependencies}
