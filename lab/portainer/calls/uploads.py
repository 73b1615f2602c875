"""Files of TLS for an environment that is there."""

from __future__ import annotations

from aiohttp import web

from lab.portainer import tls
from lab.portainer.replies import EMPTY, invalid
from lab.portainer.routing import Access, Call, route


@route("POST", "/upload/tls/{certificate}", Access.ADMIN)
async def upload(call: Call) -> object:
    """One file, into the folder that the form names."""
    kind = call.names["certificate"]
    if kind not in tls.FIELDS.values():
        raise invalid("Invalid certificate route value. Value must be one of: ca, cert or key")
    form = await call.request.post()
    file, folder = form.get("file"), form.get("folder")
    if not isinstance(file, web.FileField) or not isinstance(folder, str):
        raise invalid("Invalid certificate file. Ensure that the certificate file is uploaded correctly")
    tls.keep(call, folder, kind, file.file.read())
    return EMPTY
