"""Who is calling: an API token in a header, or a ticket in a cookie with a CSRF token for writes."""

from __future__ import annotations

from urllib.parse import unquote

from aiohttp import web

from lab.pve.credentials import Credentials
from lab.pve.errors import unauthorized

TOKEN_SCHEME = "PVEAPIToken="  # noqa: S105 - the scheme, not a token
LOGIN = ("POST", "/access/ticket")
NOBODY = ""


def caller(credentials: Credentials, request: web.Request, path: str) -> str:
    """User or token id; 401 with Proxmox's reason when there is none. Only logging in needs no caller."""
    if (request.method, path) == LOGIN:
        return NOBODY
    header = request.headers.get("Authorization", "")
    if header.startswith(TOKEN_SCHEME):
        return _token(credentials, header.removeprefix(TOKEN_SCHEME))
    return _ticket_user(credentials, request)


def _token(credentials: Credentials, text: str) -> str:
    token, _, secret = text.rpartition("=")
    if not credentials.token_is_valid(token, secret):
        raise unauthorized("invalid token value!")
    return token


def _ticket_user(credentials: Credentials, request: web.Request) -> str:
    ticket = request.cookies.get("PVEAuthCookie")
    if not ticket:
        raise unauthorized("No ticket")
    user = credentials.ticket_user(unquote(ticket))
    if user is None:
        raise unauthorized("permission denied - invalid PVE ticket")
    if request.method != "GET" and not credentials.csrf_is_valid(user, request.headers.get("CSRFPreventionToken", "")):
        raise unauthorized("Permission denied - invalid csrf token")
    return user
