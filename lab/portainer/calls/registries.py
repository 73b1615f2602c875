"""Registries and their logins. Lists show passwords in clear, as the real server's do."""

from __future__ import annotations

from lab.portainer import endpoints, payload
from lab.portainer.payload import Payload
from lab.portainer.replies import EMPTY, ApiError, ConnectionDropped, invalid
from lab.portainer.routing import Access, Call, route
from lab.portainer.store import Missing, Record

UNKNOWN = "Unable to find a registry with the specified identifier inside the database"
PROGET = 5
TYPES = (
    "invalid registry type. Valid values are: 1 (Quay.io), 2 (Azure container registry), 3 (custom registry), "
    "4 (Gitlab registry), 5 (ProGet registry), 6 (DockerHub), 7 (ECR)"
)
NO_LOGIN = "invalid credentials. Username and password must be specified when authentication is enabled"


@route("GET", "/registries", Access.ADMIN)
async def registries(call: Call) -> object:
    """All registries, with everything."""
    return [_complete(registry) for registry in call.server.store.every("registries")]


@route("POST", "/registries", Access.ADMIN)
async def create(call: Call) -> object:
    """A new registry."""
    body = await payload.read(call.request)
    _check(body)
    registry = _from(body)
    _check_unique(call, registry, by_url=True)
    registry["Id"] = call.server.store.next_id("registries")
    call.server.store.write("registries", registry["Id"], registry)
    return _hidden(registry) | {"RegistryAccesses": None}


@route("GET", "/registries/{id}")
async def inspect(call: Call) -> object:
    """One registry, without its password."""
    return _hidden(call.find("registries", call.number("id", "registry"), UNKNOWN))


@route("PUT", "/registries/{id}", Access.ADMIN)
async def update(call: Call) -> object:
    """Change what is in the body; a password that is left out stays."""
    number = call.number("id", "registry")
    registry = call.find("registries", number, UNKNOWN)
    body = await payload.read(call.request)
    if body.has("Name"):
        registry["Name"] = body.text("Name")
    _check_unique(call, registry, by_url=False)
    if registry["Type"] == PROGET and body.has("BaseURL"):
        registry["BaseURL"] = body.text("BaseURL")
    if body.has("Authentication"):
        _change_login(registry, body)
    if body.has("URL"):
        registry["URL"] = body.text("URL")
        _check_unique(call, registry, by_url=True)
    call.server.store.write("registries", number, registry)
    return _complete(registry)


@route("POST", "/registries/{id}/configure", Access.ADMIN)
async def configure(call: Call) -> object:
    """Settings to browse a registry, which the lab has no use for."""
    call.find("registries", call.number("id", "registry"), UNKNOWN)
    await payload.read(call.request)
    return EMPTY


@route("DELETE", "/registries/{id}", Access.ADMIN)
async def delete(call: Call) -> object:
    """Remove a registry; for one that is gone the real server's handler panics."""
    number = call.number("id", "registry")
    try:
        call.server.store.read("registries", number)
    except Missing as error:
        raise ConnectionDropped from error
    call.server.store.remove("registries", number)
    return EMPTY


@route("GET", "/endpoints/{id}/registries")
async def of_endpoint(call: Call) -> object:
    """Registries that the caller may use in an environment."""
    endpoint = endpoints.find(call, call.number("id", "environment"))
    found = call.server.store.every("registries")
    user = str(call.user["Id"])
    policies = [(registry["RegistryAccesses"] or {}).get(str(endpoint["Id"])) or {} for registry in found]
    usable = [call.is_admin or user in (policy.get("UserAccessPolicies") or {}) for policy in policies]
    return [_hidden(registry) for registry, may in zip(found, usable, strict=True) if may]


@route("PUT", "/endpoints/{id}/registries/{registry}", Access.ADMIN)
async def give_access(call: Call) -> object:
    """Who may use a registry in an environment."""
    endpoint = endpoints.find(call, call.number("id", "environment"))
    registry = call.find("registries", call.number("registry", "registry"), endpoints.UNKNOWN)
    body = await payload.read(call.request)
    names = ("UserAccessPolicies", "TeamAccessPolicies")
    policies = {name: body.mapped(name) for name in names} | {"Namespaces": body.listed("Namespaces")}
    registry["RegistryAccesses"][str(endpoint["Id"])] = policies
    call.server.store.write("registries", registry["Id"], registry)
    return EMPTY


def _check(body: Payload) -> None:
    if not body.text("Name"):
        raise invalid("invalid registry name")
    if not body.text("URL"):
        raise invalid("invalid registry URL")
    if body.flag("Authentication") and not (body.text("Username") and body.text("Password")):
        raise invalid(NO_LOGIN)
    if body.number("Type") not in range(1, 8):
        raise invalid(TYPES)
    if body.number("Type") == PROGET and not body.text("BaseURL"):
        raise invalid("BaseURL is required for registry type 5 (ProGet)")


def _from(body: Payload) -> Record:
    return {
        "Id": 0,
        "Type": body.number("Type"),
        **{name: body.text(name) for name in ("Name", "URL", "BaseURL")},
        "Authentication": body.flag("Authentication"),
        **{name: body.text(name) for name in ("Username", "Password")},
        "Gitlab": {"ProjectId": 0, "InstanceURL": "", "ProjectPath": ""},
        "Quay": {"OrganisationName": ""},
        "Ecr": {"Region": ""},
        "RegistryAccesses": {},
        **dict.fromkeys(("UserAccessPolicies", "TeamAccessPolicies", "AuthorizedUsers", "AuthorizedTeams")),
    }


def _change_login(registry: Record, body: Payload) -> None:
    registry["Authentication"] = body.flag("Authentication")
    if not registry["Authentication"]:
        registry |= {"Username": "", "Password": ""}
        return
    if body.has("Username"):
        registry["Username"] = body.text("Username")
    if body.text("Password"):
        registry["Password"] = body.text("Password")


def _check_unique(call: Call, registry: Record, *, by_url: bool) -> None:
    for other in call.server.store.every("registries"):
        if other["Id"] == registry["Id"]:
            continue
        if other["Name"] == registry["Name"]:
            message = "Another registry with the same name already exists"
            raise ApiError(409, message, "a registry is already defined with this name")
        if by_url and _login(other) == _login(registry):
            message = "Another registry with the same URL and credentials already exists"
            raise ApiError(409, message, "a registry is already defined for this URL and credentials")


def _login(registry: Record) -> tuple[str, str | None]:
    return registry["URL"], registry["Username"] if registry["Authentication"] else None


def _complete(registry: Record) -> Record:
    """With the password, where there is one, and with what browsing would use."""
    same = {name: registry[name] for name in ("Type", "Authentication", "Username", "Password")}
    management = same | {"TLSConfig": {"TLS": False, "TLSSkipVerify": False}, "Ecr": registry["Ecr"]}
    shown = registry | {"ManagementConfiguration": management}
    return shown if registry["Password"] else _without_password(shown)


def _hidden(registry: Record) -> Record:
    return _without_password(registry | {"ManagementConfiguration": None})


def _without_password(registry: Record) -> Record:
    return {name: value for name, value in registry.items() if name != "Password"}
