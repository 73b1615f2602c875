"""A new environment; only forms are taken, not JSON."""

from __future__ import annotations

import base64
import json
import secrets

from aiohttp import web

from lab.portainer import defaults, tls
from lab.portainer.addresses import host_and_port
from lab.portainer.calls.endpoints import check_name
from lab.portainer.engine import DEFAULT, EngineError
from lab.portainer.replies import ApiError, internal, invalid
from lab.portainer.routing import Access, Call, route
from lab.portainer.store import Record

DOCKER, AGENT, EDGE = 1, 2, 4
TYPES = (
    "invalid environment type value. Value must be one of: 1 (Docker environment), 2 (Agent environment), "
    "3 (Azure environment), 4 (Edge Agent environment) or 5 (Local Kubernetes environment)"
)
EDGE_TUNNEL_PORT = 8000


@route("POST", "/endpoints", Access.ADMIN)
async def create(call: Call) -> object:
    """Make an environment after a look at its engine; a failed one has used up its number."""
    form = await fields(call.request)
    name, kind, tags = _checked(form)
    check_name(call, name, 0)
    if kind == AGENT:
        raise _no_agent(form.get("URL", ""))
    if kind not in (DOCKER, EDGE):
        raise internal("lab: the stand-in makes environments of types 1 and 4 only")
    number = call.server.store.next_id("endpoints")
    common: Record = {"GroupId": _number(form.get("GroupID", "")) or 1, "TagIds": tags}
    if kind == EDGE:
        endpoint = _edge(number, name, form["URL"], common)
    else:
        common["PublicURL"] = form.get("PublicURL", "")
        common["TLSConfig"] = tls.config(call, number, form, await files(call.request))
        endpoint = defaults.endpoint(number, name, form.get("URL") or DEFAULT, **common)
        await _look_at(call, endpoint)
    call.server.store.write("endpoints", number, endpoint)
    _note_tags(call, endpoint)
    return endpoint


async def fields(request: web.Request) -> dict[str, str]:
    """The texts of a form; empty for bodies of another type, which is what the real server makes of them."""
    if request.content_type != "multipart/form-data":
        return {}
    form = await request.post()
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def files(request: web.Request) -> dict[str, bytes]:
    """The files of a form by their fields."""
    form = await request.post()
    return {name: value.file.read() for name, value in form.items() if isinstance(value, web.FileField)}


def _checked(form: dict[str, str]) -> tuple[str, int, list[int]]:
    """Name, kind and tags. 400 for the first thing that is wrong."""
    if not form.get("Name"):
        raise invalid("invalid environment name")
    kind = _number(form.get("EndpointCreationType", ""))
    if not kind:
        raise invalid(TYPES)
    if form.get("ContainerEngine", "") not in ("", "docker", "podman"):
        raise invalid("invalid container engine value. Value must be one of: 'docker' or 'podman'")
    try:
        tags = json.loads(form.get("TagIds") or "[]")
    except ValueError as error:
        raise invalid("invalid TagIds parameter") from error
    if kind == EDGE and not form.get("URL", "").strip():
        raise invalid("URL cannot be empty")
    return form["Name"], kind, tags


async def _look_at(call: Call, endpoint: Record) -> None:
    try:
        await call.server.snapshots.take(endpoint)
    except EngineError as error:
        raise ApiError(500, "Unable to initiate communications with environment", str(error)) from error


def _no_agent(url: str) -> ApiError:
    """The lab has no agents, so none ever listens."""
    address = url.removeprefix("tcp://")
    details = f'Get "https://{address}/ping": dial tcp {address}: connect: connection refused'
    return ApiError(500, "Unable to get environment type", details)


def _edge(number: int, name: str, url: str, common: Record) -> Record:
    host, _ = host_and_port(url)
    fingerprint = base64.b64encode(secrets.token_bytes(32)).decode()
    key = base64.b64encode(f"{url}|{host}:{EDGE_TUNNEL_PORT}|{fingerprint}|{number}".encode()).decode()
    return defaults.endpoint(number, name, host, Type=EDGE, EdgeKey=key.rstrip("="), UserTrusted=True, **common)


def _note_tags(call: Call, endpoint: Record) -> None:
    for tag in call.server.store.every("tags"):
        if tag["ID"] in endpoint["TagIds"]:
            tag["Endpoints"][str(endpoint["Id"])] = True
            call.server.store.write("tags", tag["ID"], tag)


def _number(text: str) -> int:
    return int(text) if text.strip().lstrip("-").isdigit() else 0
