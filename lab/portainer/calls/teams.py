"""Teams and custom templates: enough to be there, nothing depends on them."""

from __future__ import annotations

from pathlib import Path

from lab.portainer import controls, payload
from lab.portainer.replies import EMPTY, ApiError, invalid
from lab.portainer.routing import Access, Call, route
from lab.portainer.store import Record

FILE = "docker-compose.yml"


@route("GET", "/teams")
async def teams(call: Call) -> object:
    """All teams."""
    return call.server.store.every("teams")


@route("POST", "/teams", Access.ADMIN)
async def create(call: Call) -> object:
    """A new team; names are unique."""
    name = (await payload.read(call.request)).text("Name")
    if not name:
        raise invalid("Invalid team name")
    if any(team["Name"].lower() == name.lower() for team in call.server.store.every("teams")):
        raise ApiError(409, "A team with the same name already exists", "Team already exists")
    team: Record = {"Id": call.server.store.next_id("teams"), "Name": name}
    call.server.store.write("teams", team["Id"], team)
    return team


@route("DELETE", "/teams/{id}", Access.ADMIN)
async def delete(call: Call) -> object:
    """Remove a team."""
    number = call.number("id", "team")
    call.find("teams", number, "Unable to find a team with the specified identifier inside the database")
    call.server.store.remove("teams", number)
    return EMPTY


@route("POST", "/custom_templates/create/string")
async def create_template(call: Call) -> object:
    """A template from text."""
    body = await payload.read(call.request)
    for name, what in (("Title", "title"), ("Description", "description"), ("FileContent", "file content")):
        if not body.text(name):
            raise invalid(f"Invalid custom template {what}")
    number = call.server.store.next_id("custom_templates")
    control = controls.private(str(number), controls.TEMPLATE, call.user["Id"])
    template: Record = {
        "Id": number,
        **{name: body.text(name) for name in ("Title", "Description", "Note", "Logo")},
        "ProjectPath": str(_stored(call.server.data, number, body.text("FileContent"))),
        "EntryPoint": FILE,
        "CreatedByUserId": call.user["Id"],
        **{name: body.number(name) for name in ("Platform", "Type")},
        "ResourceControl": controls.add(call.server.store, control),
        "Variables": body.listed("Variables"),
        "GitConfig": None,
        "IsComposeFormat": False,
        "EdgeTemplate": body.flag("EdgeTemplate"),
    }
    call.server.store.write("custom_templates", number, template)
    return template


def _stored(data: Path, number: int, content: str) -> Path:
    folder = data / "custom_templates" / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(content)
    return folder
