"""Adds to an engine's answers who may use what, and leaves out what the caller may not see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from lab.portainer import controls
from lab.portainer.proxy.guard import DENIED
from lab.portainer.store import Record

if TYPE_CHECKING:
    from lab.portainer.proxy.forward import Passing

Rewriter = Callable[[Any], Awaitable[tuple[int, Any]]]
SYSTEM_NETWORKS = ("bridge", "host", "ingress", "nat", "none")
CREATED = {"/containers/create": controls.CONTAINER, "/networks/create": controls.NETWORK}
IDS = {controls.CONTAINER: "Id", controls.NETWORK: "Id", controls.VOLUME: "ResourceID"}


def rewriter(passing: Passing, status: int) -> Rewriter | None:
    """What changes the answer to this request, None when it passes as it is."""
    method, path, parts = passing.method, passing.path, passing.path.strip("/").split("/")
    if status == 201 and method == "POST" and path in (*CREATED, "/volumes/create"):
        return lambda body: _created(passing, body)
    if status == 200 and method == "GET":
        lists = {"/containers/json": controls.CONTAINER, "/networks": controls.NETWORK}
        if path in lists:
            return lambda body: _listed(passing, body, lists[path])
        if path == "/volumes":
            return lambda body: _volumes(passing, body)
        kinds = {"containers": controls.CONTAINER, "networks": controls.NETWORK, "volumes": controls.VOLUME}
        inspects = len(parts) == 3 and parts[2] == "json" if parts[0] == "containers" else len(parts) == 2
        if parts[0] in kinds and inspects:
            return lambda body: _inspected(passing, body, kinds[parts[0]])
    if method == "DELETE" and status in (200, 204):
        _forget(passing, parts)
    return None


async def _created(passing: Passing, body: Record) -> tuple[int, Any]:
    kind = CREATED.get(passing.path, controls.VOLUME)
    if kind == controls.VOLUME:
        await _name_volume(passing, body)
    control = controls.private(body[IDS[kind]], kind, passing.call.user["Id"])
    return 200, _with(body, controls.add(passing.call.server.store, control))


async def _listed(passing: Passing, body: list[Record], kind: int) -> tuple[int, Any]:
    shown = [_decorated(passing, resource, kind) for resource in body]
    return 200, [resource for resource in shown if resource is not None and not _hidden(passing, resource, kind)]


async def _volumes(passing: Passing, body: Record) -> tuple[int, Any]:
    volumes = body.get("Volumes") or []
    for volume in volumes:
        await _name_volume(passing, volume)
    shown = (_decorated(passing, volume, controls.VOLUME) for volume in volumes)
    return 200, body | {"Volumes": [volume for volume in shown if volume is not None] if volumes else None}


async def _inspected(passing: Passing, body: Record, kind: int) -> tuple[int, Any]:
    if kind == controls.VOLUME:
        await _name_volume(passing, body)
    shown = _decorated(passing, body, kind)
    if shown is None:
        raise DENIED
    return 200, shown


def _decorated(passing: Passing, resource: Record, kind: int) -> Record | None:
    """With its control, if it has one; None when the caller may not see it."""
    resource_id = resource[IDS[kind]]
    if kind == controls.NETWORK and resource["Name"] in SYSTEM_NETWORKS:
        return _with(resource, controls.new(resource_id, kind, Public=True, System=True))
    control = _control(passing, resource, resource_id, kind)
    if not controls.may_see(control, passing.call.user, is_admin=passing.call.is_admin):
        return None
    return _with(resource, control) if control else resource


def _control(passing: Passing, resource: Record, resource_id: str, kind: int) -> Record | None:
    store = passing.call.server.store
    labels = (resource.get("Config") or resource).get("Labels") or {}
    found = controls.find(store, resource_id, kind)
    found = found or controls.inherited(store, labels, passing.endpoint["Id"])
    return found or controls.from_labels(store, labels, resource_id, kind)


def _hidden(passing: Passing, resource: Record, kind: int) -> bool:
    """Containers with a label that the settings hide."""
    labels = resource.get("Labels") or {}
    hidden = passing.call.server.store.settings["BlackListedLabels"] or []
    return kind == controls.CONTAINER and any(labels.get(pair["name"]) == pair["value"] for pair in hidden)


async def _name_volume(passing: Passing, volume: Record) -> None:
    engine = await passing.call.server.snapshots.engine_id(passing.endpoint)
    volume["ResourceID"] = f"{volume['Name']}_{engine}"


def _forget(passing: Passing, parts: list[str]) -> None:
    """Remove the control of what was removed: only when it was named by its id, as in the real server."""
    kinds = {"containers": controls.CONTAINER, "networks": controls.NETWORK}
    store = passing.call.server.store
    control = controls.find(store, parts[1], kinds[parts[0]]) if parts[0] in kinds and len(parts) == 2 else None
    if control:
        store.remove(controls.BUCKET, control["Id"])


def _with(resource: Record, control: Record) -> Record:
    return resource | {"Portainer": (resource.get("Portainer") or {}) | {"ResourceControl": control}}
