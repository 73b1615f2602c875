"""Logging in and out."""

from __future__ import annotations

from email.utils import formatdate

from lab.portainer import durations, passwords, payload
from lab.portainer.access import COOKIE
from lab.portainer.replies import ApiError, ConnectionDropped, Reply, invalid
from lab.portainer.routing import Access, Call, route


@route("POST", "/auth", Access.PUBLIC, limited=True)
async def log_in(call: Call) -> object:
    """A JWT for a name and a password, in the body and as a cookie."""
    body = await payload.read(call.request)
    if not body.text("Username"):
        raise invalid("Invalid username")
    if not body.text("Password"):
        raise invalid("Invalid password")
    user = call.server.user_named(body.text("Username"))
    if not await passwords.matches(body.text("Password"), user["Password"] if user else None) or user is None:
        raise ApiError(422, "Invalid credentials", "Unauthorized")
    settings = call.server.store.settings
    lifetime_s = durations.seconds(settings["UserSessionTimeout"])
    short = len(body.text("Password")) < settings["InternalAuthSettings"]["RequiredPasswordLength"]
    token, ends = call.server.tokens.issue(user, lifetime_s, force_change=short)
    cookie = f"{COOKIE}={token}; Path=/; Expires={formatdate(ends, usegmt=True)}; HttpOnly; SameSite=Strict"
    return Reply(200, {"jwt": token}, {"Set-Cookie": cookie})


@route("POST", "/auth/logout")
async def log_out(call: Call) -> object:
    """Revoke the JWT of the browser's cookie; without a cookie the real server's handler panics."""
    token = call.request.cookies.get(COOKIE)
    if not token:
        raise ConnectionDropped
    call.server.tokens.revoke(token)
    gone = f"{COOKIE}=; Path=/; Expires={formatdate(0, usegmt=True)}; Max-Age=0; HttpOnly; SameSite=Strict"
    return Reply(204, None, {"Set-Cookie": gone})
