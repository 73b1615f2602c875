"""Environments: who may use one, how one is shown, and the one that `-H` makes."""

from __future__ import annotations

import logging

from lab.portainer import defaults
from lab.portainer.engine import EngineError
from lab.portainer.instance import Instance
from lab.portainer.replies import ApiError
from lab.portainer.routing import Call
from lab.portainer.store import Record

UNKNOWN = "Unable to find an environment with the specified identifier inside the database"
COMPOSE_SYNTAX = "3.9"

logger = logging.getLogger(__name__)


def find(call: Call, number: int, message: str = UNKNOWN) -> Record:
    """An environment. 404 when there is none of that number."""
    return call.find("endpoints", number, message)


def may_use(call: Call, endpoint: Record) -> bool:
    """Whether the caller has access, by itself or by the environment's group."""
    if call.is_admin:
        return True
    groups = [group for group in call.server.store.every("endpoint_groups") if group["Id"] == endpoint["GroupId"]]
    policies = [endpoint["UserAccessPolicies"], *(group["UserAccessPolicies"] for group in groups)]
    return any(str(call.user["Id"]) in (policy or {}) for policy in policies)


def check_access(call: Call, endpoint: Record, what: str = "environment") -> None:
    """403 when the caller may not use it."""
    if not may_use(call, endpoint):
        raise ApiError(403, f"Permission denied to access {what}", "Access denied to environment")


def shown(server: Instance, endpoint: Record) -> Record:
    """An environment with its snapshot."""
    return endpoint | {"Snapshots": server.snapshots.of(endpoint["Id"])}


def completed(server: Instance, endpoint: Record) -> Record:
    """An environment as lists and inspection show it, with what is known by default."""
    interval = endpoint["EdgeCheckinInterval"] or server.store.settings["EdgeAgentCheckinInterval"]
    return shown(server, endpoint) | {
        "EdgeCheckinInterval": interval,
        "ComposeSyntaxMaxVersion": COMPOSE_SYNTAX,
    }


async def add_first(server: Instance) -> None:
    """Make the environment that `-H` names, once there is an administrator and unless there are environments."""
    url = server.first_endpoint
    if not url or server.store.every("endpoints"):
        return
    number = server.store.next_id("endpoints")
    endpoint = defaults.endpoint(number, "primary", url, Gpus=None)
    try:
        await server.snapshots.take(endpoint)
    except EngineError as error:
        logger.warning("primary: %s", error)
    server.store.write("endpoints", number, endpoint)
