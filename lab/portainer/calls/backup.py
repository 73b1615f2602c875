"""Backups of the whole server, and a new server made from one."""

from __future__ import annotations

import time

from aiohttp import web

from lab.portainer import archive, payload
from lab.portainer.replies import ApiError, invalid
from lab.portainer.routing import Access, Call, route

FAILED = "Failed to restore the backup"


@route("POST", "/backup", Access.ADMIN)
async def backup(call: Call) -> object:
    """Everything in one archive, encrypted when the body has a password."""
    password = (await payload.read(call.request)).text("password")
    content = archive.packed(call.server.data, call.server.store.export())
    name = time.strftime("portainer-backup_%Y-%m-%d_%H-%M-%S.tar.gz")
    if password:
        content, name = archive.encrypted(content, password), f"{name}.encrypted"
    return web.Response(
        body=content,
        content_type="application/octet-stream" if password else "application/gzip",
        headers={"Content-Disposition": f"attachment; filename={name}", "X-Csrf-Token": ""},
    )


@route("POST", "/restore", Access.PUBLIC)
async def restore(call: Call) -> object:
    """Become the server that a backup was made of; only where nobody is administrator yet."""
    if call.server.administrators:
        raise ApiError(400, "Cannot restore already initialized instance", "System already initialized")
    form = await call.request.post() if call.request.content_type == "multipart/form-data" else {}
    file = form.get("file")
    if not isinstance(file, web.FileField):
        raise invalid("http: no such file")
    content = file.file.read()
    try:
        if password := form.get("password"):
            content = archive.decrypted(content, str(password))
        state = archive.unpacked(content, call.server.data)
    except archive.BadArchive as error:
        raise ApiError(500, FAILED, str(error)) from error
    call.server.store.load(state)
    call.server.polling.resume()
    return web.Response()
