"""Looking at stacks."""

from __future__ import annotations

import json

from lab.portainer import controls, endpoints, payload, stacks
from lab.portainer.payload import Payload
from lab.portainer.replies import ApiError
from lab.portainer.routing import Call, route
from lab.portainer.store import Missing, Record


@route("GET", "/stacks")
async def listed(call: Call) -> object:
    """Stacks that the caller may see; filters know an environment and a swarm, and ignore everything else."""
    filters = _filters(call.request.query.get("filters", ""))
    found = _filtered(call, call.server.store.every("stacks"), filters)
    if not call.is_admin and filters.flag("IncludeOrphanedStacks"):
        raise ApiError(403, "Permission denied to access orphaned stacks", "Unauthorized")
    decorated = [(stack, controls.of_stack(call.server.store, stack)) for stack in found]
    return [
        stacks.shown(stack, control)
        for stack, control in decorated
        if controls.may_see(control, call.user, is_admin=call.is_admin)
    ]


@route("GET", "/stacks/{id}")
async def inspect(call: Call) -> object:
    """One stack; an orphan shows no resource control."""
    stack = stacks.find(call)
    try:
        endpoint = call.server.store.read("endpoints", stack["EndpointId"])
    except Missing as error:
        if not call.is_admin:
            raise ApiError(404, endpoints.UNKNOWN, str(error)) from error
        return stacks.shown(stack)
    stacks.check_access(call, stack, endpoint, "Stack management")
    return stacks.shown(stack, controls.of_stack(call.server.store, stack))


@route("GET", "/stacks/{id}/file")
async def file(call: Call) -> object:
    """The main file as it is on the disk, which is not always what runs."""
    stack = stacks.find(call)
    path = stacks.folder_of(stack) / stack["EntryPoint"]
    try:
        return {"StackFileContent": path.read_text()}
    except OSError as error:
        details = f"open {path}: no such file or directory"
        raise ApiError(500, "Unable to retrieve Compose file from disk", details) from error


def _filters(text: str) -> Payload:
    if not text:
        return Payload({})
    try:
        return Payload(json.loads(text))
    except ValueError as error:
        raise ApiError(400, "Invalid query parameter: filters", payload.syntax_error(text)) from error


def _filtered(call: Call, found: list[Record], filters: Payload) -> list[Record]:
    endpoint, swarm = filters.number("EndpointID"), filters.text("SwarmID")
    if not endpoint and not swarm:
        return found
    here = [stack for stack in found if _is_in(stack, endpoint, swarm)]
    if not filters.flag("IncludeOrphanedStacks"):
        return here
    known = {record["Id"] for record in call.server.store.every("endpoints")}
    kind = stacks.SWARM if swarm else stacks.COMPOSE
    names = {stack["Name"] for stack in here}
    orphans = (stack for stack in found if stack["EndpointId"] not in known and stack["Type"] == kind)
    return [*here, *(stack for stack in orphans if stack["Name"] not in names)]


def _is_in(stack: Record, endpoint: int, swarm: str) -> bool:
    if stack["Type"] == stacks.SWARM:
        return bool(stack["SwarmId"] == swarm)
    return bool(stack["EndpointId"] == endpoint)
