"""The HTTP side: the lock without an administrator, who calls, which call, and the shape of answers."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import AsyncIterator

from aiohttp import web

from lab.portainer import access, routing
from lab.portainer.instance import Instance
from lab.portainer.replies import ApiError, ConnectionDropped, Reply
from lab.portainer.routing import Access, Call

SERVER: web.AppKey[Instance] = web.AppKey("server", Instance)
BASE_URL: web.AppKey[str] = web.AppKey("base_url", str)
MAX_BODY = 1 << 30
TIMEOUT = "Administrator initialization timeout"
OPEN_WHEN_LOCKED = ("/api/status", "/api/settings/public")
PAGE = (
    "<!doctype html><title>Portainer stand-in</title><p>The lab's stand-in for Portainer has no pages, only its API.\n"
)

logger = logging.getLogger(__name__)


def make_app(server: Instance, base_url: str = "/") -> web.Application:
    """The application; the caller adds ports and TLS."""
    routing.load()
    app = web.Application(client_max_size=MAX_BODY)
    app[SERVER], app[BASE_URL] = server, base_url.rstrip("/")
    app.router.add_route("*", "/{path:.*}", _answer)
    app.cleanup_ctx.append(_lifetime)
    return app


async def _lifetime(app: web.Application) -> AsyncIterator[None]:
    await app[SERVER].start()
    yield
    await app[SERVER].stop()


async def _answer(request: web.Request) -> web.StreamResponse:
    try:
        return await _answered(request)
    except ApiError as error:
        logger.info("%s %s: %s %s", request.method, request.path, error.status, error.message)
        return _json(error.status, {"message": error.message, "details": error.details})
    except ConnectionDropped:
        if request.transport:
            request.transport.abort()
        return web.Response()
    except web.HTTPMethodNotAllowed:
        return web.Response(status=405)
    except web.HTTPException:
        raise
    except Exception as error:
        logger.exception("%s %s", request.method, request.path)
        return _json(500, {"message": "lab: the stand-in failed", "details": repr(error)})


async def _answered(request: web.Request) -> web.StreamResponse:
    server = request.app[SERVER]
    path = request.raw_path.removeprefix(request.app[BASE_URL])
    if server.locked and path.startswith("/api") and path not in OPEN_WHEN_LOCKED:
        return _json(303, {"message": TIMEOUT, "details": TIMEOUT}, {"redirect-reason": "AdminInitTimeout"})
    if not path.startswith("/api/"):
        return _page(locked=server.locked)
    access.check_headers(request)
    found = routing.find(request.method, path.partition("?")[0].removeprefix("/api"))
    if found is None:
        return web.Response(status=404, text="404 page not found\n")
    route, names = found
    user = {} if route.access is Access.PUBLIC else access.caller(server, request)
    call = Call(server, request, names, user)
    if route.access is Access.ADMIN and not call.is_admin:
        raise ApiError(403, "Access denied", "Unauthorized")
    if route.limited and server.limiter.refuses(request.remote or ""):
        raise ApiError(403, "Access denied", "Access denied to resource")
    return _response(request, await route.handler(call))


def _response(request: web.Request, answer: object) -> web.StreamResponse:
    if isinstance(answer, web.StreamResponse):
        return answer
    reply = answer if isinstance(answer, Reply) else Reply(200, answer)
    headers = {"X-Csrf-Token": csrf_token(request), "X-Content-Type-Options": "nosniff"} | reply.headers
    if reply.status == 204:
        return web.Response(status=204, headers=headers)
    return _json(reply.status, reply.body, headers)


def csrf_token(request: web.Request) -> str:
    """Empty for callers with a key or a token, something for browsers."""
    return secrets.token_urlsafe(32) if request.cookies.get(access.COOKIE) else ""


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"} | (headers or {}),
    )


def _page(*, locked: bool) -> web.Response:
    if locked:
        text = '<a href="/timeout.html">Temporary Redirect</a>.\n\n'
        return web.Response(status=307, text=text, content_type="text/html", headers={"Location": "/timeout.html"})
    return web.Response(text=PAGE, content_type="text/html")
