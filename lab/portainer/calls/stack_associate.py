"""Orphaned stacks, and webhooks."""

from __future__ import annotations

import re
import time

from lab.portainer import controls, endpoints, payload, stacks
from lab.portainer.polling import AuthorMissing
from lab.portainer.replies import EMPTY, ApiError
from lab.portainer.routing import Access, Call, route
from lab.portainer.store import Missing

UUID_LENGTH = 36


@route("PUT", "/stacks/{id}/associate", Access.ADMIN)
async def associate(call: Call) -> object:
    """Give a stack whose environment is gone to another one; nothing is deployed."""
    number = call.number("id", "stack")
    endpoint_id = payload.query_number(call.request, "endpointId")
    running = call.request.query.get("orphanedRunning", "")
    if not running:
        raise ApiError(400, "Invalid query parameter: orphanedRunning", "Missing query parameter")
    stack = call.find("stacks", number, stacks.UNKNOWN)
    control = controls.of_stack(call.server.store, stack)
    endpoints.find(call, endpoint_id)
    if control:
        control["ResourceId"] = controls.stack_resource(endpoint_id, stack["Name"])
        call.server.store.write(controls.BUCKET, control["Id"], control)
    stack |= {
        "EndpointId": endpoint_id,
        "SwarmId": call.request.query.get("swarmId", ""),
        "Status": stacks.ACTIVE if running == "true" else stacks.INACTIVE,
        "CreationDate": int(time.time()),
        "CreatedBy": call.user["Username"],
        "UpdateDate": 0,
        "UpdatedBy": "",
    }
    stacks.save(call, stack)
    return stacks.shown(stack, control)


@route("POST", "/stacks/webhooks/{webhook}", Access.PUBLIC)
async def webhook(call: Call) -> object:
    """Answers at once; looks for a new commit and deploys it afterwards."""
    given = call.names["webhook"]
    if len(given) != UUID_LENGTH:
        details = f'uuid: incorrect UUID length {len(given)} in string "{given}"'
        raise ApiError(400, "Invalid webhook identifier route variable", details)
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", given):
        details = f'uuid: incorrect UUID format in string "{given}"'
        raise ApiError(400, "Invalid webhook identifier route variable", details)
    stack = stacks.with_webhook(call, given.lower())
    if stack is None:
        raise ApiError(404, "Unable to find the stack by webhook ID", str(Missing()))
    try:
        call.server.polling.invoke(stack)
    except AuthorMissing as error:
        raise ApiError(409, "Autoupdate for the stack isn't available", str(error)) from error
    return EMPTY
