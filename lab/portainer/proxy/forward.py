"""Passes one request on to an engine and its answer back, as streams unless something has to be added."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from lab.portainer import app
from lab.portainer.engine import Address
from lab.portainer.proxy import decorate, guard, login
from lab.portainer.replies import ApiError, ConnectionDropped
from lab.portainer.routing import Call
from lab.portainer.store import Record

REFUSED = "Unable to proxy the request via the Docker socket"
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"}
OURS = {"authorization", "x-api-key", "cookie"}


@dataclass(frozen=True)
class Passing:
    """A request on its way to an engine."""

    call: Call
    endpoint: Record
    raw_path: str
    """With the query, encoded as it came."""
    path: str
    """Without API version and query: `/containers/json`."""

    @property
    def method(self) -> str:
        """The request's method."""
        return self.call.request.method


async def forward(call: Call, endpoint: Record) -> web.StreamResponse:
    """The engine's answer."""
    raw = call.request.raw_path.partition(f"/endpoints/{call.names['id']}/docker")[2]
    path = re.sub(r"^/v\d\.\d+", "", raw.partition("?")[0])
    passing = Passing(call, endpoint, raw, path)
    body = await guard.checked_body(passing)
    session = call.server.engines.session(Address.of(endpoint))
    try:
        async with session.request(
            passing.method,
            Address.of(endpoint).target(raw),
            headers=login.headers(passing, _headers(call.request)),
            data=body,
            allow_redirects=False,
        ) as answer:
            return await _passed_back(passing, answer)
    except aiohttp.ClientConnectorError as error:
        raise ApiError(500, REFUSED, _no_engine(endpoint)) from error


async def _passed_back(passing: Passing, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    request = passing.call.request
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
    if 200 <= answer.status < 300:
        headers["X-Csrf-Token"] = app.csrf_token(request)
    rewrite = decorate.rewriter(passing, answer.status)
    if rewrite:
        status, body = await rewrite(json.loads(await answer.read()))
        return _rewritten(status, body, headers)
    response = web.StreamResponse(status=answer.status, headers=headers)
    if answer.content_length is not None:
        response.content_length = answer.content_length
    await response.prepare(request)
    try:
        async for piece in answer.content.iter_any():
            await response.write(piece)
        await response.write_eof()
    except (ConnectionError, aiohttp.ClientError) as error:
        raise ConnectionDropped from error  # one of the two has gone; the other must not take it for the end
    return response


def _rewritten(status: int, body: Any, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=json.dumps(body).encode(), headers=headers)


def _headers(request: web.Request) -> dict[str, str]:
    """Without what concerns this hop, and without what lets the caller into this server."""
    return {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP | OURS}


def _no_engine(endpoint: Record) -> str:
    address = Address(endpoint["URL"])
    kind = f"dial unix {address.socket}" if address.socket else f"dial tcp {endpoint['URL'].removeprefix('tcp://')}"
    return f"{kind}: connect: connection refused"
