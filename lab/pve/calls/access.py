"""Logging in, and what the caller may do."""

from __future__ import annotations

from lab.pve.errors import unauthorized
from lab.pve.routing import Call, route


@route("POST", "/access/ticket")
async def log_in(call: Call) -> object:
    """A ticket and its CSRF token for a user and password."""
    user, credentials = call.params.text("username"), call.cluster.credentials
    if not credentials.password_is_valid(user, call.params.text("password")):
        raise unauthorized("authentication failure")
    return {
        "username": user,
        "ticket": credentials.ticket(user),
        "CSRFPreventionToken": credentials.csrf_token(user),
        "cap": {"vms": call.cluster.permissions.at(user, "/vms"), "nodes": call.cluster.permissions.at(user, "/nodes")},
        "clustername": call.cluster.world.id,
    }


@route("GET", "/access/permissions")
async def permissions(call: Call) -> object:
    """Privileges by path; of somebody else only with Sys.Audit on /access."""
    user = call.params.get("userid", call.user)
    if user != call.user:
        call.require("/access", "Sys.Audit")
    path = call.params.get("path")
    if path:
        return {path: call.cluster.permissions.at(user, path)}
    return call.cluster.permissions.overview(user, (f"/vms/{vmid}" for vmid in call.cluster.state.vms))
