"""Environments: making, listing, changing, removing."""

from __future__ import annotations

import asyncio
import json

from lab.portainer import payload, tls
from lab.portainer.endpoints import completed, find, may_use, shown
from lab.portainer.engine import Address, EngineError
from lab.portainer.replies import EMPTY, ApiError, Reply
from lab.portainer.routing import Access, Call, route
from lab.portainer.store import Record

NOT_UNIQUE = "Name is not unique"


@route("GET", "/endpoints")
async def endpoints(call: Call) -> object:
    """Environments that the caller may use, filtered by the query."""
    usable = [endpoint for endpoint in call.server.store.every("endpoints") if may_use(call, endpoint)]
    found = [endpoint for endpoint in usable if _matches(call, endpoint)]
    start = max(payload.query_number(call.request, "start", optional=True) - 1, 0)
    limit = payload.query_number(call.request, "limit", optional=True) or len(found)
    counts = {"X-Total-Count": str(len(found)), "X-Total-Available": str(len(usable))}
    page = [completed(call.server, endpoint) for endpoint in found[start : start + limit]]
    return Reply(200, page, counts)


@route("GET", "/endpoints/{id}")
async def inspect(call: Call) -> object:
    """One environment."""
    endpoint = find(call, call.number("id", "environment"))
    if not may_use(call, endpoint):
        raise ApiError(403, "Permission denied to access environment", "Access denied to environment")
    return completed(call.server, endpoint)


@route("PUT", "/endpoints/{id}", Access.ADMIN)
async def update(call: Call) -> object:
    """Change what is in the body."""
    number, body = call.number("id", "environment"), await payload.read(call.request)
    endpoint = find(call, number)
    if body.has("Name"):
        check_name(call, body.text("Name"), number)
    texts = {name: body.text(name) for name in ("Name", "URL", "PublicURL") if body.has(name)}
    policies = ("UserAccessPolicies", "TeamAccessPolicies")
    mapped = {name: body.mapped(name) for name in policies if body.has(name)}
    numbers = {"GroupId": body.number("GroupID")} if body.has("GroupID") else {}
    tags = {"TagIds": body.listed("TagIDs")} if body.has("TagIDs") else {}
    endpoint |= texts | mapped | numbers | tags
    if body.flag("TLS") and not body.flag("TLSSkipVerify"):
        endpoint["TLSConfig"] = tls.stored(call, number)
        await call.server.engines.forget(Address.of(endpoint))
    if body.number("Status") in (1, 2):
        endpoint["Status"] = body.number("Status")
    call.server.store.write("endpoints", number, endpoint)
    return shown(call.server, endpoint)


@route("PUT", "/endpoints/{id}/settings", Access.ADMIN)
async def update_settings(call: Call) -> object:
    """What users who are no administrators may do in it."""
    number, body = call.number("id", "environment"), await payload.read(call.request)
    endpoint = find(call, number)
    security = endpoint["SecuritySettings"]
    security |= {name: body.flag(name) for name in security if body.has(name)}
    call.server.store.write("endpoints", number, endpoint)
    return endpoint


@route("DELETE", "/endpoints/{id}", Access.ADMIN)
async def delete(call: Call) -> object:
    """Forget an environment. Its stacks stay behind as orphans."""
    number = call.number("id", "environment")
    find(call, number)
    call.server.store.remove("endpoints", number)
    call.server.snapshots.forget(number)
    return EMPTY


@route("POST", "/endpoints/snapshot", Access.ADMIN)
async def snapshot_all(call: Call) -> object:
    """Look at all environments now."""
    taken = (call.server.snapshots.take(endpoint) for endpoint in call.server.store.every("endpoints"))
    await asyncio.gather(*taken, return_exceptions=True)
    return EMPTY


@route("POST", "/endpoints/{id}/snapshot", Access.ADMIN)
async def snapshot(call: Call) -> object:
    """Look at one environment now."""
    endpoint = find(call, call.number("id", "environment"))
    try:
        await call.server.snapshots.take(endpoint)
    except EngineError as error:
        raise ApiError(500, "Unable to create snapshot", str(error)) from error
    return EMPTY


def check_name(call: Call, name: str, number: int) -> None:
    """409 when another environment has that very name."""
    for endpoint in call.server.store.every("endpoints"):
        if endpoint["Name"] == name and endpoint["Id"] != number:
            raise ApiError(409, NOT_UNIQUE)


def _matches(call: Call, endpoint: Record) -> bool:
    query = call.request.query
    name, search = query.get("name"), query.get("search", "").lower()
    if name and endpoint["Name"] != name:
        return False
    if search and search not in f"{endpoint['Name']} {endpoint['URL']}".lower():
        return False
    known = {"types": "Type", "groupIds": "GroupId", "endpointIds": "Id", "status": "Status"}
    wanted = {field: _numbers(call, name) for name, field in known.items()}
    return all(not numbers or endpoint[field] in numbers for field, numbers in wanted.items())


def _numbers(call: Call, name: str) -> list[int]:
    """Numbers as the query has them: `[1,2]`, or repeated as `name[]=1`."""
    query = call.request.query
    single = json.loads(query[name]) if name in query else []
    repeated = [int(value) for value in query.getall(f"{name}[]", [])]
    return [*(single if isinstance(single, list) else [single]), *repeated]
