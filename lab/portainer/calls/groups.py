"""Tags and groups of environments."""

from __future__ import annotations

from lab.portainer import defaults, payload
from lab.portainer.replies import EMPTY, ApiError, invalid
from lab.portainer.routing import Access, Call, route
from lab.portainer.store import Record

UNKNOWN_GROUP = "Unable to find an environment group with the specified identifier inside the database"
UNKNOWN_TAG = "Unable to find a tag with the specified identifier inside the database"


@route("GET", "/tags")
async def tags(call: Call) -> object:
    """All tags."""
    return call.server.store.every("tags")


@route("POST", "/tags", Access.ADMIN)
async def create_tag(call: Call) -> object:
    """A new tag; names are unique."""
    name = (await payload.read(call.request)).text("name")
    if not name:
        raise invalid("invalid tag name")
    if any(tag["Name"] == name for tag in call.server.store.every("tags")):
        raise ApiError(409, "This name is already associated to a tag", "A tag already exists with this name")
    tag: Record = {"ID": call.server.store.next_id("tags"), "Name": name, "Endpoints": {}, "EndpointGroups": {}}
    call.server.store.write("tags", tag["ID"], tag)
    return tag


@route("DELETE", "/tags/{id}", Access.ADMIN)
async def delete_tag(call: Call) -> object:
    """Remove a tag, from whatever has it too."""
    number = call.number("id", "tag")
    call.find("tags", number, UNKNOWN_TAG)
    for bucket in ("endpoints", "endpoint_groups"):
        for record in call.server.store.every(bucket):
            if number in (record["TagIds"] or []):
                record["TagIds"].remove(number)
                call.server.store.write(bucket, record["Id"], record)
    call.server.store.remove("tags", number)
    return EMPTY


@route("GET", "/endpoint_groups")
async def groups(call: Call) -> object:
    """All groups; the first, `Unassigned`, is always there."""
    return call.server.store.every("endpoint_groups")


@route("POST", "/endpoint_groups", Access.ADMIN)
async def create_group(call: Call) -> object:
    """A new group; names may repeat."""
    body = await payload.read(call.request)
    if not body.text("Name"):
        raise invalid("invalid environment group name")
    number = call.server.store.next_id("endpoint_groups")
    group = defaults.group(number, body.text("Name"), body.text("Description"), body.listed("TagIDs") or [])
    call.server.store.write("endpoint_groups", number, group)
    for endpoint_id in body.listed("AssociatedEndpoints") or []:
        endpoint = call.server.store.read("endpoints", endpoint_id)
        call.server.store.write("endpoints", endpoint_id, endpoint | {"GroupId": number})
    return group


@route("GET", "/endpoint_groups/{id}", Access.ADMIN)
async def inspect_group(call: Call) -> object:
    """One group."""
    return call.find("endpoint_groups", call.number("id", "environment group"), UNKNOWN_GROUP)


@route("DELETE", "/endpoint_groups/{id}", Access.ADMIN)
async def delete_group(call: Call) -> object:
    """Remove a group; its environments go back to the first."""
    number = call.number("id", "environment group")
    if number == 1:
        message = "Unable to remove the default 'Unassigned' group"
        raise ApiError(403, message, "Cannot remove the default environment group")
    call.find("endpoint_groups", number, UNKNOWN_GROUP)
    for endpoint in call.server.store.every("endpoints"):
        if endpoint["GroupId"] == number:
            call.server.store.write("endpoints", endpoint["Id"], endpoint | {"GroupId": 1})
    call.server.store.remove("endpoint_groups", number)
    return EMPTY
