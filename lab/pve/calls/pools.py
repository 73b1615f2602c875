"""Resource pools."""

from __future__ import annotations

from lab.pve.errors import failure
from lab.pve.properties import words
from lab.pve.routing import Call, needs, route
from lab.pve.state import Record


@route("GET", "/pools")
async def of_cluster(call: Call) -> object:
    """All pools, or one with its members."""
    if "poolid" in call.params:
        name = call.params["poolid"]
        return [{"poolid": name} | _described(call, name)]
    visible = (name for name in call.cluster.state.pools if call.may(f"/pool/{name}", "Pool.Audit"))
    return [{"poolid": name, "comment": call.cluster.state.pools[name]["comment"]} for name in visible]


@route("GET", "/pools/{poolid}", needs("/pool/{poolid}", "Pool.Audit"))
async def one(call: Call) -> object:
    """One pool with its members."""
    return _described(call, call.names["poolid"])


def _described(call: Call, name: str) -> Record:
    pool = _pool(call, name)
    call.require(f"/pool/{name}", "Pool.Audit")
    members = [_member(call, vmid) for vmid in pool["vms"] if vmid in call.cluster.state.vms]
    return {"comment": pool["comment"], "members": members}


def _pool(call: Call, name: str) -> Record:
    if name not in call.cluster.state.pools:
        raise failure(f"pool '{name}' does not exist")
    return call.cluster.state.pools[name]


def _member(call: Call, vmid: int) -> Record:
    vm = call.cluster.state.vms[vmid]
    shown: Record = {"id": f"qemu/{vmid}", "type": "qemu", "vmid": vmid, "node": vm.node}
    return shown | {"name": vm.config.get("name", f"VM {vmid}"), "status": "running" if vm.on else "stopped"}


@route("POST", "/pools")
async def create(call: Call) -> object:
    """A new pool."""
    name = call.params.text("poolid")
    call.require(f"/pool/{name}", "Pool.Allocate")
    if name in call.cluster.state.pools:
        raise failure(f"create pool failed: pool '{name}' already exists")
    call.cluster.state.pools[name] = {"comment": call.params.get("comment", ""), "vms": []}
    return None


@route("PUT", "/pools")
async def change(call: Call) -> object:
    """Comment, and members added or removed."""
    name = call.params.text("poolid")
    _change(call, name)
    return None


@route("PUT", "/pools/{poolid}", needs("/pool/{poolid}", "Pool.Allocate"))
async def change_one(call: Call) -> object:
    """The same with the name in the path."""
    _change(call, call.names["poolid"])
    return None


def _change(call: Call, name: str) -> None:
    pool = _pool(call, name)
    call.require(f"/pool/{name}", "Pool.Allocate")
    pool["comment"] = call.params.get("comment", pool["comment"])
    named = [int(word) for word in words(call.params.get("vms", ""))]
    rest = [vmid for vmid in pool["vms"] if vmid not in named]
    pool["vms"] = rest if call.params.flag("delete") else rest + named


@route("DELETE", "/pools")
async def delete(call: Call) -> object:
    """Remove an empty pool."""
    _delete(call, call.params.text("poolid"))
    return None


@route("DELETE", "/pools/{poolid}", needs("/pool/{poolid}", "Pool.Allocate"))
async def delete_one(call: Call) -> object:
    """The same with the name in the path."""
    _delete(call, call.names["poolid"])
    return None


def _delete(call: Call, name: str) -> None:
    pool = _pool(call, name)
    call.require(f"/pool/{name}", "Pool.Allocate")
    if any(vmid in call.cluster.state.vms for vmid in pool["vms"]):
        raise failure(f"delete pool failed: pool '{name}' is not empty")
    del call.cluster.state.pools[name]
