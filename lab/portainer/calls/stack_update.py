"""Changing stacks by text: a stack from git is none afterwards."""

from __future__ import annotations

from pathlib import Path

from lab.portainer import endpoints, payload, stacks
from lab.portainer.replies import ApiError, invalid
from lab.portainer.routing import Call, route


@route("PUT", "/stacks/{id}")
async def update(call: Call) -> object:
    """New text and new variables; variables that are left out are gone. A failure brings the old text back."""
    stack = stacks.find(call)
    number = payload.query_number(call.request, "endpointId")
    endpoint = endpoints.find(call, number, stacks.NO_ENVIRONMENT)
    stack["EndpointId"] = number
    stacks.check_access(call, stack, endpoint, "Stack editing")
    stacks.stop_polling(call, stack)  # before the body is looked at, as in the real server
    body = await payload.read(call.request)
    if not body.text("StackFileContent"):
        raise invalid("Invalid stack file content")
    stack["FromAppTemplate"] = stack["FromAppTemplate"] or stack["GitConfig"] is not None
    stack |= {"Env": body.pairs("Env"), "AutoUpdate": None, "GitConfig": None, "Status": stacks.ACTIVE}
    file = stacks.folder_of(stack) / stack["EntryPoint"]
    before = _content(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(body.text("StackFileContent"))
    try:
        await stacks.deploy(call, stack, endpoint, pull=body.flag("PullImage"))
    except ApiError:
        if before is not None:
            file.write_bytes(before)
        raise
    stacks.note_update(call, stack)
    stacks.save(call, stack)
    return stacks.shown(stack)


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
