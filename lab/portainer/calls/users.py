"""Users, and the first administrator."""

from __future__ import annotations

import time

from lab.portainer import passwords, payload
from lab.portainer.endpoints import add_first
from lab.portainer.replies import EMPTY, ApiError, invalid
from lab.portainer.routing import Access, Call, route
from lab.portainer.store import Missing, Record

WEAK = "Password does not meet the requirements"
UNKNOWN = "Unable to find a user with the specified identifier inside the database"


@route("GET", "/users/admin/check", Access.PUBLIC)
async def admin_check(call: Call) -> object:
    """204 when there is an administrator."""
    if not call.server.administrators:
        raise ApiError(404, "No administrator account found inside the database", str(Missing()))
    return EMPTY


@route("POST", "/users/admin/init", Access.PUBLIC)
async def admin_init(call: Call) -> object:
    """Make the first administrator."""
    body = await payload.read(call.request)
    _check_name(body.text("Username"))
    if not body.text("Password"):
        raise invalid("Invalid password")
    if call.server.administrators:
        raise ApiError(409, "Unable to create administrator user", "An administrator user already exists")
    _check_strength(call, body.text("Password"), WEAK)
    user = call.server.add_user(body.text("Username"), await passwords.hashed(body.text("Password")), 1)
    await add_first(call.server)
    return user


@route("GET", "/users")
async def users(call: Call) -> object:
    """All users; for others than administrators without administrators."""
    shown = [user for user in call.server.store.every("users") if call.is_admin or user["Role"] != 1]
    return [{name: user[name] for name in ("Id", "Username", "Role")} for user in shown]


@route("POST", "/users", Access.ADMIN)
async def create(call: Call) -> object:
    """Make a user."""
    body = await payload.read(call.request)
    _check_name(body.text("Username"))
    if body.number("Role") not in (1, 2):
        raise invalid("Invalid role value. Value must be one of: 1 (administrator) or 2 (regular user)")
    if call.server.user_named(body.text("Username")):
        raise ApiError(409, "Another user with the same username already exists", "User already exists")
    _check_strength(call, body.text("Password"), WEAK)
    hashed = await passwords.hashed(body.text("Password"))
    return shown(call.server.add_user(body.text("Username"), hashed, body.number("Role")))


@route("GET", "/users/me")
async def me(call: Call) -> object:
    """Who calls."""
    return shown(call.user) | {"forceChangePassword": False}


@route("GET", "/users/{id}")
async def inspect(call: Call) -> object:
    """One user: for administrators, or oneself."""
    number = call.number("id", "user")
    _check_self(call, number, "Permission denied inspect user")
    return shown(call.find("users", number, UNKNOWN))


@route("DELETE", "/users/{id}", Access.ADMIN)
async def delete(call: Call) -> object:
    """Remove a user with the keys."""
    number = call.number("id", "user")
    if number == call.user["Id"]:
        message = "Cannot remove your own user account. Contact another administrator"
        raise ApiError(403, message, message)
    call.find("users", number, UNKNOWN)
    for key in call.server.store.every("api_key"):
        if key["userId"] == number:
            call.server.store.remove("api_key", key["id"])
    call.server.store.remove("users", number)
    return EMPTY


@route("PUT", "/users/{id}/passwd", limited=True)
async def change_password(call: Call) -> object:
    """Another password; JWTs of before become invalid, API keys stay."""
    number = call.number("id", "user")
    _check_self(call, number, "Permission denied to update user")
    body = await payload.read(call.request)
    if not body.text("Password"):
        raise invalid("Invalid current password")
    if not body.text("NewPassword"):
        raise invalid("Invalid new password")
    user = call.find("users", number, UNKNOWN)
    await check_password(body.text("Password"), user)
    _check_strength(call, body.text("NewPassword"), "Password does not meet the minimum strength requirements")
    changes = {"Password": await passwords.hashed(body.text("NewPassword")), "TokenIssueAt": int(time.time())}
    call.server.store.write("users", number, user | changes)
    return EMPTY


def shown(user: Record) -> Record:
    """A user without the password's hash."""
    return {name: value for name, value in user.items() if name != "Password"}


async def check_password(given: str, user: Record) -> None:
    """403 when it is not the user's password."""
    if not await passwords.matches(given, user["Password"]):
        details = "Current password does not match the password provided. Please try again"
        raise ApiError(403, "Current password doesn't match", details)


def _check_self(call: Call, number: int, message: str) -> None:
    if not call.is_admin and call.user["Id"] != number:
        raise ApiError(403, message, "Unauthorized")


def _check_name(name: str) -> None:
    if not name or " " in name:
        raise invalid("Invalid username. Must not contain any whitespace")


def _check_strength(call: Call, password: str, message: str) -> None:
    if len(password) < call.server.store.settings["InternalAuthSettings"]["RequiredPasswordLength"]:
        raise ApiError(400, message)
