"""What the calls for stacks share: finding one, who may use it, how it is shown, whether a name is free."""

from __future__ import annotations

import copy
import re
import time
from pathlib import Path

from lab.portainer import controls, endpoints
from lab.portainer.deployments import DeployError
from lab.portainer.durations import valid
from lab.portainer.engine import EngineError
from lab.portainer.payload import Payload
from lab.portainer.replies import ApiError, internal, invalid
from lab.portainer.routing import Call
from lab.portainer.store import Record

ACTIVE, INACTIVE = 1, 2
SWARM, COMPOSE = 1, 2
COMPOSE_FILE = "docker-compose.yml"
PROJECT_LABEL = "com.docker.compose.project"
UNKNOWN = "Unable to find a stack with the specified identifier inside the database"
NO_ENVIRONMENT = "Unable to find the environment associated to the stack inside the database"
BAD_URL = "Invalid repository URL. Must correspond to a valid URL format"
NO_PASSWORD = "Invalid repository credentials. Password must be specified when authentication is enabled"  # noqa: S105
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find(call: Call) -> Record:
    """The stack that the path names. 404."""
    return call.find("stacks", call.number("id", "stack"), UNKNOWN)


def check_access(call: Call, stack: Record, endpoint: Record, doing: str) -> None:
    """403 unless the caller may use the environment, see the stack and manage stacks at all."""
    endpoints.check_access(call, endpoint)
    control = controls.of_stack(call.server.store, stack)
    if not controls.may_see(control, call.user, is_admin=call.is_admin):
        raise ApiError(403, "Access denied to resource", "Access denied to resource")
    check_management(call, endpoint, doing)


def check_management(call: Call, endpoint: Record, doing: str) -> None:
    """403 where only administrators manage stacks."""
    if not call.is_admin and not endpoint["SecuritySettings"]["allowStackManagementForRegularUsers"]:
        raise ApiError(403, f"{doing} is disabled for non-admin users")


def save(call: Call, stack: Record) -> None:
    """Store a stack."""
    call.server.store.write("stacks", stack["Id"], stack)


def note_update(call: Call, stack: Record) -> None:
    """Who changed it, and when."""
    stack["UpdatedBy"], stack["UpdateDate"] = call.user["Username"], int(time.time())


def shown(stack: Record, control: Record | None = None) -> Record:
    """A stack without its git password."""
    stack = copy.deepcopy(stack) | {"ResourceControl": control}
    login = (stack["GitConfig"] or {}).get("Authentication")
    if login:
        login["Password"] = ""
    return stack


def normalised(name: str) -> str:
    """Lower case, and nothing but letters, digits, `-` and `_`."""
    return re.sub(r"[^-_a-z0-9]+", "", name.lower())


async def is_free(call: Call, endpoint: Record, name: str, stack_id: int = 0) -> bool:
    """Whether neither a stack nor a Compose project of that name is in the environment. 500 without an engine."""
    try:
        containers = await call.server.engines.get(endpoint, "/containers/json?all=1")
    except EngineError as error:
        raise ApiError(500, "Unable to check for name collision", str(error)) from error
    if any((container["Labels"] or {}).get(PROJECT_LABEL) == name for container in containers):
        return False
    others = (stack for stack in call.server.store.every("stacks") if stack["Id"] != stack_id)
    return not any(_is(stack, name) and stack["EndpointId"] == endpoint["Id"] for stack in others)


async def check_new_name(call: Call, endpoint: Record, name: str) -> None:
    """409 for the name of another stack. A project that runs without one is adopted."""
    if await is_free(call, endpoint, name):
        return
    if any(_is(stack, name) for stack in call.server.store.every("stacks")):
        raise ApiError(409, f"A stack with the normalized name '{name}' already exists")


def check_webhook(call: Call, auto_update: Record | None) -> None:
    """409 for the webhook of another stack."""
    webhook = (auto_update or {}).get("Webhook")
    if webhook and with_webhook(call, webhook):
        raise ApiError(409, f"Webhook ID: {webhook} already exists", "a webhook ID already exists")


def with_webhook(call: Call, webhook: str) -> Record | None:
    """The stack that a webhook is for."""
    found = (s for s in call.server.store.every("stacks") if (s["AutoUpdate"] or {}).get("Webhook") == webhook)
    return next(found, None)


def auto_update(body: Payload) -> Record | None:
    """How a stack updates itself, as the body wants it. 400 when that makes no sense."""
    wanted = body.nested("AutoUpdate")
    if wanted is None:
        return None
    interval, webhook = wanted.text("Interval"), wanted.text("Webhook")
    if not interval and not webhook:
        raise invalid("Webhook or Interval must be provided")
    if webhook and not _UUID.fullmatch(webhook):
        raise invalid("invalid Webhook format")
    if interval and not valid(interval):
        raise invalid("invalid Interval format")
    flags = {name: wanted.flag(name) for name in ("ForceUpdate", "ForcePullImage")}
    return {"Interval": interval, "Webhook": webhook, "JobID": ""} | flags


def stop_polling(call: Call, stack: Record) -> None:
    """End a stack's job, if it has one."""
    if stack["AutoUpdate"]:
        call.server.polling.stop(stack["AutoUpdate"]["JobID"])


def start_polling(call: Call, stack: Record) -> None:
    """Begin a stack's job, if it updates itself by interval."""
    if stack["AutoUpdate"] and stack["AutoUpdate"]["Interval"]:
        stack["AutoUpdate"]["JobID"] = call.server.polling.start(stack["Id"], stack["AutoUpdate"]["Interval"])


async def deploy(call: Call, stack: Record, endpoint: Record, *, pull: bool = False, recreate: bool = False) -> None:
    """Bring a stack up. 500 with what Compose said."""
    try:
        await call.server.deployments.deploy(stack, endpoint, call.user, pull=pull, recreate=recreate)
    except DeployError as error:
        raise internal(str(error)) from error


def folder_of(stack: Record) -> Path:
    """Where a stack's files are."""
    return Path(stack["ProjectPath"])


def _is(stack: Record, name: str) -> bool:
    return bool(stack["Name"].lower() == name.lower())
