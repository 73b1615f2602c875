"""Bridges and VLANs of a node: listed, made, changed; in force once applied."""

from __future__ import annotations

import ipaddress

from lab.pve.errors import invalid
from lab.pve.routing import Call, needs, route
from lab.pve.state import Record
from lab.pve.tasks import Log
from lab.world import Bridge

NETWORK = "/nodes/{node}/network"
INTERFACE = f"{NETWORK}/{{iface}}"
_CHANGE = needs("/nodes/{node}", "Sys.Modify")
_NUMBERS = ("autostart", "mtu", "bridge_vlan_aware")  # not vlan-id: the provider reads a text there


@route("GET", NETWORK)
async def of_node(call: Call) -> object:
    """Interfaces, with changes that are not in force yet."""
    wanted = call.params.get("type", "")
    kinds = {"any_bridge": ["bridge", "OVSBridge"], "any_local_bridge": ["bridge", "OVSBridge"]}.get(wanted, [wanted])
    found = {name: item for name, item in _interfaces(call).items() if not wanted or item["type"] in kinds}
    return [{"iface": name} | item for name, item in found.items() if _visible(call, name)]


def _visible(call: Call, name: str) -> bool:
    bridge = f"/sdn/zones/localnetwork/{name}"
    return call.may(f"/nodes/{call.node}", "Sys.Audit") or call.may(bridge, "SDN.Use") or call.may(bridge, "SDN.Audit")


@route("GET", INTERFACE, needs("/nodes/{node}", "Sys.Audit"))
async def one(call: Call) -> object:
    """One interface."""
    return _existing(call)


@route("POST", NETWORK, _CHANGE)
async def create(call: Call) -> object:
    """A new interface, in force after `PUT /nodes/N/network`."""
    name = call.params.text("iface")
    if name in _interfaces(call):
        raise invalid(iface="interface already exists")
    _changes(call)[name] = _described(call)
    return None


@route("PUT", INTERFACE, _CHANGE)
async def change(call: Call) -> object:
    """Replace an interface's settings."""
    _existing(call)
    _changes(call)[call.names["iface"]] = _described(call)
    return None


@route("DELETE", INTERFACE, _CHANGE)
async def delete(call: Call) -> object:
    """Remove an interface."""
    _existing(call)
    _changes(call)[call.names["iface"]] = None
    return None


@route("DELETE", NETWORK, _CHANGE)
async def revert(call: Call) -> object:
    """Forget changes that are not in force."""
    _changes(call).clear()
    return None


@route("PUT", NETWORK, _CHANGE)
async def apply(call: Call) -> object:
    """Put changes into force."""

    async def work(log: Log) -> None:
        made = call.cluster.state.interfaces.setdefault(call.node, {})
        for name, settings in _changes(call).items():
            made.pop(name, None)
            made |= {name: settings} if settings is not None else {}
        _changes(call).clear()

    return call.cluster.tasks.start(call.node, "srvreload", "networking", call.user, work)


def _changes(call: Call) -> dict[str, Record | None]:
    return call.cluster.state.interface_changes.setdefault(call.node, {})


def _interfaces(call: Call) -> dict[str, Record]:
    found = {bridge.name: _site_bridge(bridge) for bridge in call.cluster.world.bridges}
    for name, made in call.cluster.state.interfaces.get(call.node, {}).items():
        found[name] = made | {"active": 1, "exists": 1}
    for name, changed in _changes(call).items():
        found.pop(name, None)
        found |= {name: changed} if changed is not None else {}
    return found


def _existing(call: Call) -> Record:
    found = _interfaces(call).get(call.names["iface"])
    if found is None:
        raise invalid(iface="interface does not exist")
    return found


def _site_bridge(bridge: Bridge) -> Record:
    prefix = ipaddress.ip_network(bridge.cidr).prefixlen
    shown: Record = {"type": "bridge", "method": "static", "method6": "manual", "address": bridge.gateway}
    shown |= {"netmask": str(prefix), "cidr": f"{bridge.gateway}/{prefix}", "families": ["inet"]}
    return shown | {"active": 1, "exists": 1, "autostart": 1, "bridge_ports": "", "priority": 3}


def _described(call: Call) -> Record:
    settings: Record = {key: text for key, text in call.params.items() if key not in ("iface", "node", "delete")}
    settings |= {key: call.params.number(key) for key in _NUMBERS if key in settings}
    method = "static" if "cidr" in settings or "address" in settings else "manual"
    if "cidr" in settings:
        address = ipaddress.ip_interface(settings["cidr"])
        settings |= {"address": str(address.ip), "netmask": str(address.network.prefixlen)}
    base: Record = {"method": method, "method6": "manual", "families": ["inet"], "priority": 4}
    return base | _named_vlan(call) | settings


def _named_vlan(call: Call) -> Record:
    """Device and id that the name of a VLAN such as `eno1.20` says by itself."""
    name = call.names.get("iface") or call.params.text("iface")
    device, dot, tag = name.rpartition(".")
    named = call.params.text("type") == "vlan" and dot and tag.isdecimal()
    return {"vlan-raw-device": device, "vlan-id": tag} if named else {}
