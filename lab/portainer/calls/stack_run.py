"""Stopping, starting, moving and removing stacks."""

from __future__ import annotations

import shutil

from lab.portainer import controls, endpoints, payload, stacks
from lab.portainer.calls.stack_swarm import ask_for_services
from lab.portainer.deployments import DeployError
from lab.portainer.replies import EMPTY, ApiError, internal, invalid
from lab.portainer.routing import Call, route
from lab.portainer.store import Record

NO_ENDPOINT = "Unable to find the endpoint associated to the stack inside the database"
NO_TARGET = "Unable to find an endpoint with the specified identifier inside the database"


@route("POST", "/stacks/{id}/stop")
async def stop(call: Call) -> object:
    """Compose's `down`, and no more polling."""
    stack, endpoint = _entered(call)
    if stack["Status"] == stacks.INACTIVE:
        raise ApiError(400, "Stack is already inactive")
    if stack["AutoUpdate"]:
        stacks.stop_polling(call, stack)
        stack["AutoUpdate"]["JobID"] = ""
    try:
        await call.server.deployments.down(stack, endpoint)
    except DeployError as error:
        raise ApiError(500, "Unable to stop stack", str(error)) from error
    stack["Status"] = stacks.INACTIVE
    stacks.save(call, stack)
    return stacks.shown(stack)


@route("POST", "/stacks/{id}/start")
async def start(call: Call) -> object:
    """Compose's `up` with the files that are there, and polling again."""
    stack, endpoint = _entered(call)
    if not await stacks.is_free(call, endpoint, stack["Name"], stack["Id"]):
        raise ApiError(409, f"A stack with the name '{stack['Name']}' is already running")
    if stack["Status"] == stacks.ACTIVE:
        raise ApiError(400, "Stack is already active")
    stacks.stop_polling(call, stack)
    stacks.start_polling(call, stack)
    try:
        await call.server.deployments.up(stack, endpoint, call.user)
    except DeployError as error:
        raise ApiError(500, "Unable to start stack", str(error)) from error
    stack["Status"] = stacks.ACTIVE
    stacks.save(call, stack)
    return stacks.shown(stack)


@route("DELETE", "/stacks/{id}")
async def delete(call: Call) -> object:
    """Take a stack down and forget it, with its files; volumes stay."""
    if call.request.query.get("external") == "true":
        return await _delete_external(call)
    stack = stacks.find(call)
    number = payload.query_number(call.request, "endpointId", optional=True)
    if number != stack["EndpointId"] and not call.is_admin:
        raise ApiError(403, "Permission denied to remove orphaned stack")
    endpoint = endpoints.find(call, number, NO_ENDPOINT)
    if number == stack["EndpointId"]:
        stacks.check_access(call, stack, endpoint, "stack deletion")
    stacks.stop_polling(call, stack)
    await _down(call, stack, endpoint)
    call.server.store.remove("stacks", stack["Id"])
    if control := controls.of_stack(call.server.store, stack):
        call.server.store.remove(controls.BUCKET, control["Id"])
    shutil.rmtree(stacks.folder_of(stack), ignore_errors=True)
    return EMPTY


@route("POST", "/stacks/{id}/migrate")
async def migrate(call: Call) -> object:
    """Bring a stack up elsewhere or under another name, then take the old one down."""
    number, body = call.number("id", "stack"), await payload.read(call.request)
    if not body.number("EndpointID"):
        raise invalid("Invalid environment identifier. Must be a positive number")
    stack = call.find("stacks", number, stacks.UNKNOWN)
    endpoint = endpoints.find(call, stack["EndpointId"], NO_TARGET)
    stacks.check_access(call, stack, endpoint, "Stack migration")
    target = endpoints.find(call, body.number("EndpointID"), NO_TARGET)
    control, moved = controls.of_stack(call.server.store, stack), dict(stack)
    moved |= {"EndpointId": target["Id"], "Name": body.text("Name") or stack["Name"]}
    if not await stacks.is_free(call, target, moved["Name"], number):
        where = f"on endpoint '{target['Name']}'"
        raise ApiError(409, f"A stack with the name '{moved['Name']}' is already running {where}")
    await stacks.deploy(call, moved, target)
    await _down(call, stack, endpoint)
    stacks.save(call, moved)
    if control:
        resource = controls.stack_resource(target["Id"], moved["Name"])
        call.server.store.write(controls.BUCKET, control["Id"], control | {"ResourceId": resource})
    return stacks.shown(moved)


def _entered(call: Call) -> tuple[Record, Record]:
    """The stack and the environment that the query must name."""
    stack = stacks.find(call)
    endpoint = endpoints.find(call, payload.query_number(call.request, "endpointId"))
    stack["EndpointId"] = endpoint["Id"]
    stacks.check_access(call, stack, endpoint, "Stack management")
    return stack, endpoint


async def _down(call: Call, stack: Record, endpoint: Record) -> None:
    try:
        await call.server.deployments.down(stack, endpoint)
    except DeployError as error:
        raise internal(str(error)) from error


async def _delete_external(call: Call) -> object:
    """Swarm stacks that were made without this server; the lab has none."""
    number = payload.query_number(call.request, "endpointId")
    if not call.is_admin:
        raise ApiError(401, "Permission denied to delete the stack", "Unauthorized")
    if any(stack["Name"] == call.names["id"] for stack in call.server.store.every("stacks")):
        message = "A stack with this name exists inside the database. Cannot use external delete method"
        raise ApiError(400, message, "A tag already exists with this name")
    await ask_for_services(call, endpoints.find(call, number, NO_ENDPOINT), "Unable to delete stack")
    raise internal("lab: the stand-in does not deploy to a swarm")
