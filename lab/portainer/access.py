"""Who a request is from: an API key, a cookie or a bearer token, tried in this order."""

from __future__ import annotations

import time

from aiohttp import web

from lab.portainer.instance import Instance
from lab.portainer.replies import ApiError
from lab.portainer.store import Missing, Record
from lab.portainer.tokens import key_digest

COOKIE = "portainer_api_key"
KEY_HEADER = "X-API-Key"
CSRF_HEADER = "X-CSRF-Token"
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
BOTH = "api key and auth header are not allowed at the same time"
LAST_USED_STEP_S = 60


def check_headers(request: web.Request) -> None:
    """403 for two credentials at once, and for a change that brings the browser's cookie without its CSRF token."""
    if request.cookies.get(COOKIE):
        if request.method not in SAFE:
            said = "invalid" if request.headers.get(CSRF_HEADER) else "not found in request"
            raise web.HTTPForbidden(text=f"Forbidden - CSRF token {said}\n")
    elif request.headers.get(KEY_HEADER) and request.headers.get("Authorization"):
        raise ApiError(403, BOTH)


def caller(server: Instance, request: web.Request) -> Record:
    """The user. 401 when no credential comes with the request, or a bad one."""
    if raw := _raw_key(request):
        user = _of_key(server, raw)
    elif cookie := request.cookies.get(COOKIE):
        user = of_token(server, cookie)
    elif bearer := bearer_token(request):
        user = of_token(server, bearer)
    else:
        raise ApiError(401, "A valid authorization token is missing", "Unauthorized")
    if user is None:
        raise ApiError(401, "Invalid JWT token", "Unauthorized")
    return user


def bearer_token(request: web.Request) -> str:
    """The JWT of the query string or of the header; empty when neither has one."""
    return request.query.get("token") or request.headers.get("Authorization", "").removeprefix("Bearer ")


def has_token(server: Instance, request: web.Request) -> bool:
    """Whether a valid JWT came with the request; some calls refuse API keys."""
    given = request.cookies.get(COOKIE) or bearer_token(request)
    return bool(given) and of_token(server, given) is not None


def of_token(server: Instance, token: str) -> Record | None:
    """The user of a JWT that is still valid."""
    claims = server.tokens.claims(token)
    if claims is None:
        return None
    try:
        user = server.store.read("users", claims["id"])
    except Missing:
        return None
    return user if user["TokenIssueAt"] <= claims["iat"] else None


def _raw_key(request: web.Request) -> str:
    in_query = (value for name, value in request.query.items() if name.lower() == KEY_HEADER.lower())
    return request.headers.get(KEY_HEADER) or next(in_query, "")


def _of_key(server: Instance, raw: str) -> Record | None:
    digest, now = key_digest(raw), int(time.time())
    for key in server.store.every("api_key"):
        if key["digest"] == digest:
            if now - key["lastUsed"] > LAST_USED_STEP_S:
                server.store.write("api_key", key["id"], key | {"lastUsed": now})
            return server.store.read("users", key["userId"])
    return None
