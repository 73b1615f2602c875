"""Swarm stacks, as far as an engine that is in no swarm lets them come; the stand-in does not deploy to one."""

from __future__ import annotations

from lab.portainer import payload, stacks
from lab.portainer.addresses import is_url
from lab.portainer.engine import EngineError
from lab.portainer.replies import ApiError, internal, invalid
from lab.portainer.routing import Call
from lab.portainer.store import Record


async def refuse_swarm(call: Call, endpoint: Record, method: str) -> None:
    """Always raises: what is wrong with the body, else what the engine says about swarm services."""
    if method == "file":
        raise invalid("Invalid stack name")
    body = await payload.read(call.request)
    if not body.text("Name"):
        raise invalid("Invalid stack name")
    if not body.text("SwarmID"):
        raise invalid("Invalid Swarm ID")
    if method == "string" and not body.text("StackFileContent"):
        raise invalid("Invalid stack file content")
    if method == "repository" and not is_url(body.text("RepositoryURL")):
        raise invalid(stacks.BAD_URL)
    await ask_for_services(call, endpoint, "Unable to check for name collision")
    raise internal("lab: the stand-in does not deploy to a swarm")


async def ask_for_services(call: Call, endpoint: Record, message: str) -> None:
    """500 with what the engine answers when it is in no swarm."""
    try:
        await call.server.engines.get(endpoint, "/services")
    except EngineError as error:
        raise ApiError(500, message, str(error)) from error
