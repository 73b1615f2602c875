"""API keys of users."""

from __future__ import annotations

import time

from lab.portainer import payload
from lab.portainer.access import has_token
from lab.portainer.calls.users import UNKNOWN, check_password
from lab.portainer.replies import EMPTY, ApiError, Reply, invalid
from lab.portainer.routing import Call, route
from lab.portainer.store import Missing, Record
from lab.portainer.tokens import key_digest, new_api_key

LONGEST = 128


@route("GET", "/users/{id}/tokens")
async def keys(call: Call) -> object:
    """Keys of a user, without what would let anybody in."""
    number = call.number("id", "user")
    if not call.is_admin and call.user["Id"] != number:
        raise ApiError(403, "Permission denied to get user access tokens", "Unauthorized")
    call.find("users", number, UNKNOWN)
    return [_shown(key) for key in call.server.store.every("api_key") if key["userId"] == number]


@route("POST", "/users/{id}/tokens", limited=True)
async def create(call: Call) -> object:
    """A new key, shown this once; needs a JWT and the password."""
    if not has_token(call.server, call.request):
        raise ApiError(401, "Auth not supported", "Authentication required")
    body = await payload.read(call.request)
    description = body.text("description")
    _check_description(description)
    number = call.number("id", "user")
    if call.user["Id"] != number:
        raise ApiError(403, "Permission denied to create user access token", "Unauthorized")
    if not body.text("password"):
        raise invalid("invalid password: cannot be empty")
    await check_password(body.text("password"), call.user)
    raw = new_api_key()
    key: Record = {
        "id": call.server.store.next_id("api_key"),
        "userId": number,
        "description": description,
        "prefix": raw[:7],
        "dateCreated": int(time.time()),
        "lastUsed": 0,
        "digest": key_digest(raw),
    }
    call.server.store.write("api_key", key["id"], key)
    return Reply(201, {"rawAPIKey": raw, "apiKey": key})


@route("DELETE", "/users/{id}/tokens/{key}")
async def delete(call: Call) -> object:
    """Remove a key."""
    number, key_id = call.number("id", "user"), call.number("key", "api-key")
    if not call.is_admin and call.user["Id"] != number:
        raise ApiError(403, "Permission denied to get user access tokens", "Unauthorized")
    call.find("users", number, UNKNOWN)
    try:
        key = call.server.store.read("api_key", key_id)
    except Missing as error:
        raise ApiError(500, "API Key not found", str(error)) from error
    if key["userId"] != number:
        raise ApiError(403, "Permission denied to remove api-key", "Unauthorized")
    call.server.store.remove("api_key", key_id)
    return EMPTY


def _check_description(description: str) -> None:
    if not description:
        raise invalid("invalid description: cannot be empty")
    if not description.strip():
        raise invalid("invalid description: cannot contain only whitespaces")
    if len(description) >= LONGEST:
        raise invalid("invalid description: cannot be longer than 128 characters")


def _shown(key: Record) -> Record:
    return {name: value for name, value in key.items() if name != "digest"}
