"""Storages and what is in them."""

from __future__ import annotations

from lab.pve.drives import drives
from lab.pve.errors import failure, invalid
from lab.pve.properties import UNITS, words
from lab.pve.routing import Call, needs, needs_any, route
from lab.pve.state import Record, Volume
from lab.pve.tasks import Log
from lab.pve.volumes import FILE_BASED
from lab.world import Storage

CONTENT = "/nodes/{node}/storage/{storage}/content"
_SEE = needs_any("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")
_SEES = ("Datastore.Audit", "Datastore.AllocateSpace")


@route("GET", "/nodes/{node}/storage")
async def of_node(call: Call) -> object:
    """Storages of a node that the caller may see, with their use."""
    content = set(words(call.params.get("content", "")))
    shown = [s for s in call.cluster.volumes.storages() if content <= set(s.content) and _visible(call, s.name)]
    return [{"storage": storage.name} | _status(call, storage) for storage in shown]


@route("GET", "/nodes/{node}/storage/{storage}/status", _SEE)
async def status(call: Call) -> object:
    """Use of one storage."""
    return _status(call, call.cluster.volumes.storage(call.names["storage"]))


def _status(call: Call, storage: Storage) -> Record:
    total = storage.total_gib * UNITS["G"]
    used = sum(volume.size for volume in call.cluster.volumes.on(call.node, storage.name) if not volume.guest_root)
    use = {"total": total, "used": used, "avail": max(total - used, 0), "used_fraction": used / total}
    kind = {"type": storage.type, "content": ",".join(storage.content), "shared": int(storage.shared)}
    return {**kind, "active": 1, "enabled": 1, **use}


@route("GET", "/storage")
async def configurations(call: Call) -> object:
    """All storages as the cluster's configuration has them."""
    return [_configuration(s) for s in call.cluster.volumes.storages() if _visible(call, s.name)]


@route("GET", "/storage/{storage}", needs("/storage/{storage}", "Datastore.Allocate"))
async def configuration(call: Call) -> object:
    """One storage as the cluster's configuration has it."""
    return _configuration(call.cluster.volumes.storage(call.names["storage"]))


def _configuration(storage: Storage) -> Record:
    shown = {"storage": storage.name, "type": storage.type, "content": ",".join(storage.content), "digest": "0" * 40}
    place = {"dir": {"path": "/var/lib/vz"}, "lvmthin": {"vgname": "pve", "thinpool": "data"}}.get(storage.type, {})
    return shown | place | ({"shared": 1} if storage.shared else {})


def _visible(call: Call, storage: str) -> bool:
    return any(call.may(f"/storage/{storage}", privilege) for privilege in _SEES)


@route("GET", CONTENT, _SEE)
async def content(call: Call) -> object:
    """Volumes of a storage, by content type or VM."""
    storage = call.cluster.volumes.storage(call.names["storage"])
    found = call.cluster.volumes.on(call.node, storage.name)
    found = [v for v in found if call.params.get("content", v.content) == v.content]
    return [_listed(v) for v in found if call.params.get("vmid", str(v.owner)) == str(v.owner)]


def _listed(volume: Volume) -> Record:
    listed = {"volid": volume.volid, "format": volume.format, "size": volume.size, "content": volume.content}
    return listed | {"ctime": volume.ctime} | ({"vmid": volume.owner} if volume.owner else {})


@route("GET", f"{CONTENT}/{{volume}}")
async def one(call: Call) -> object:
    """One volume."""
    volume = _volume(call)
    if volume.owner is None or not call.may(f"/vms/{volume.owner}", "VM.Audit"):
        call.cluster.permissions.require_any(call.user, f"/storage/{volume.storage}", _SEES)
    file_based = call.cluster.volumes.storage(volume.storage).type in FILE_BASED
    path = f"/var/lib/vz/{volume.volid}" if file_based else f"/dev/pve/{volume.name}"
    return {"format": volume.format, "path": path, "size": volume.size, "used": 0}


@route("DELETE", f"{CONTENT}/{{volume}}")
async def delete(call: Call) -> object:
    """Remove a file or a disk image that no VM uses."""
    volume = _volume(call)
    path = f"/storage/{volume.storage}"
    if not call.may(path, "Datastore.Allocate"):
        call.require(path, "Datastore.AllocateSpace" if volume.content == "images" else "Datastore.AllocateTemplate")
    users = (vm for vm in call.cluster.state.vms.values() if volume.content == "images" and vm.node == call.node)
    for vm in users:
        if any(item.file == volume.volid for item in drives(vm.config)):
            raise failure(f"unable to delete '{volume.volid}' - volume is still in use by VM {vm.vmid}")

    async def work(log: Log) -> None:
        call.cluster.volumes.free(call.cluster.volumes.require(call.node, volume.volid))

    return call.cluster.tasks.start(call.node, "imgdel", volume.volid, call.user, work)


def _volume(call: Call) -> Volume:
    name, storage = call.names["volume"], call.names["storage"]
    volid = name if ":" in name else f"{storage}:{name}"
    if volid.partition(":")[0] != storage:
        raise invalid(volume=f"storage ID mismatch ({volid.partition(':')[0]} != {storage})")
    call.cluster.volumes.storage(storage)
    return call.cluster.volumes.require(call.node, volid)
