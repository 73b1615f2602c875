"""The HTTP side: authenticate, apply faults, find the handler, answer as Proxmox's API daemon does."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from aiohttp import web

from lab.hypervisor import Hypervisor
from lab.pve import authentication, control, recovery, routing
from lab.pve.calls import load
from lab.pve.cluster import Cluster
from lab.pve.errors import ApiError, ConnectionDropped
from lab.pve.faults import CallFault
from lab.pve.params import Params, decoded
from lab.world import World

API = "/api2/json"
CLUSTER: web.AppKey[Cluster] = web.AppKey("cluster", Cluster)
MAX_BODY = 1 << 20
HANG_POLL_S = 0.1
MESSAGE_STATUSES = (400, 403, 500)
SECRET_PARAMS = ("password", "cipassword")

logger = logging.getLogger(__name__)


def make_app(world: World, hypervisor: Hypervisor, state_dir: Path) -> web.Application:
    """The Proxmox API of this world. The caller adds TLS and a port; state survives in `state_dir`."""
    load()
    cluster = Cluster(world, hypervisor, state_dir)
    app = web.Application(client_max_size=MAX_BODY)
    app[CLUSTER] = cluster
    app.router.add_route("*", "/_lab/{what}", control.answer(cluster))
    app.router.add_route("*", "/{path:.*}", _answer)
    app.cleanup_ctx.append(_lifetime)
    return app


async def _lifetime(app: web.Application) -> AsyncIterator[None]:
    cluster = app[CLUSTER]
    await recovery.recover(cluster)
    yield
    await cluster.tasks.abandon()
    cluster.save()


async def _answer(request: web.Request) -> web.StreamResponse:
    cluster, began = request.app[CLUSTER], time.monotonic()
    path = request.raw_path.partition("?")[0].removeprefix(API).rstrip("/") or "/"
    params = Params()
    try:
        params |= await _params(request)
        data: object = await _carried_out(cluster, request, path, params)
        status, reason, body = 200, None, {"data": data}
    except ConnectionDropped:
        status, reason, body = 0, "connection dropped", {}
        if request.transport:
            request.transport.abort()
    except ApiError as error:
        status, reason, body = error.status, error.reason, _error_body(error)
    except Exception as error:
        logger.exception("%s %s", request.method, path)
        status, reason, body = 500, f"lab: {error!r}", {"data": None}
    cluster.calls.append(_record(request, path, params) | {"status": status, "reason": reason, "s": _since(began)})
    return _response(status, reason, body)


async def _params(request: web.Request) -> Params:
    multipart = request.content_type.startswith("multipart/")
    return decoded(request.query_string, request.content_type, b"" if multipart else await request.read())


async def _carried_out(cluster: Cluster, request: web.Request, path: str, params: Params) -> object:
    if not request.path.startswith(API):
        raise ApiError(404, "not found", with_message=False)
    fault = cluster.faults.call(request.method, path)
    await _suffer(cluster, request, fault)
    user = authentication.caller(cluster.credentials, request, path)
    found = routing.find(request.method, path)
    if found is None:
        raise ApiError(501, f"Method '{request.method} {unquote(path)}' not implemented", with_message=False)
    chosen, names = found
    if "node" in names:
        cluster.check_node(names["node"])
    call = routing.Call(cluster, user, names, params, request)
    routing.check(call, chosen.need)
    try:
        data = await chosen.handler(call)
    finally:
        if request.method != "GET":
            cluster.save()
    if fault and fault.drop_after:
        raise ConnectionDropped
    return data


async def _suffer(cluster: Cluster, request: web.Request, fault: CallFault | None) -> None:
    if fault is None:
        return
    await asyncio.sleep(fault.delay_s)
    while fault.hang and fault in cluster.faults.calls and request.transport and not request.transport.is_closing():
        await asyncio.sleep(HANG_POLL_S)
    if fault.drop or fault.hang:
        raise ConnectionDropped
    if fault.status:
        with_message = fault.message is not None or fault.status in MESSAGE_STATUSES
        raise ApiError(fault.status, fault.reason, errors=fault.errors, with_message=with_message)


def _error_body(error: ApiError) -> dict[str, object]:
    body: dict[str, object] = {"data": None}
    if error.errors:
        body["errors"] = error.errors
    if error.message:
        body["message"] = error.message
    return body


def _response(status: int, reason: str | None, body: Mapping[str, object]) -> web.Response:
    phrase = " ".join(reason.split()) if reason else None
    text = json.dumps(body)
    headers = {"Server": "pve-api-daemon/3.0"}
    return web.Response(
        status=status or 500,
        reason=phrase,
        text=text,
        content_type="application/json",
        charset="UTF-8",
        headers=headers,
    )


def _record(request: web.Request, path: str, params: Params) -> dict[str, object]:
    shown = {name: "(secret)" if name in SECRET_PARAMS else value for name, value in params.items()}
    return {"at": time.time(), "method": request.method, "path": path, "params": shown}


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)
