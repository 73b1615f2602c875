"""Settings of the server."""

from __future__ import annotations

from typing import Any

from lab.portainer import durations, payload
from lab.portainer.addresses import is_url
from lab.portainer.payload import Payload
from lab.portainer.replies import ApiError, invalid
from lab.portainer.routing import Access, Call, route

TEXTS = ("LogoURL", "TemplatesURL", "UserSessionTimeout", "KubeconfigExpiry", "HelmRepositoryURL", "KubectlShellImage")
FLAGS = ("EnableEdgeComputeFeatures", "EnableTelemetry", "TrustOnFirstConnect", "EnforceEdgeID")
NUMBERS = ("AuthenticationMethod", "EdgeAgentCheckinInterval")
URLS = {"LogoURL": "logo", "TemplatesURL": "external templates", "HelmRepositoryURL": "Helm repository"}
METHODS = "Invalid authentication method value. Value must be one of: 1 (internal), 2 (LDAP/AD) or 3 (OAuth)"


@route("GET", "/settings/public", Access.PUBLIC)
async def public(call: Call) -> object:
    """What a login page needs to know."""
    settings = call.server.store.settings
    same = ("LogoURL", "AuthenticationMethod", "GlobalDeploymentOptions", "EnableEdgeComputeFeatures")
    return {name: settings[name] for name in same} | {
        "RequiredPasswordLength": settings["InternalAuthSettings"]["RequiredPasswordLength"],
        "Features": {"hsts": False, "csp": False},
        "OAuthLoginURI": "",
        "OAuthLogoutURI": "",
        "EnableTelemetry": settings["EnableTelemetry"],
        "KubeconfigExpiry": settings["KubeconfigExpiry"],
        "TeamSync": False,
        "IsAMTEnabled": False,
        "Edge": settings["Edge"] | {"CheckinInterval": settings["EdgeAgentCheckinInterval"]},
        "IsDockerDesktopExtension": False,
    }


@route("GET", "/settings", Access.ADMIN)
async def inspect(call: Call) -> object:
    """All settings."""
    return call.server.store.settings


@route("PUT", "/settings", Access.ADMIN)
async def update(call: Call) -> object:
    """Change what is in the body, leave the rest; unknown fields are ignored."""
    body = await payload.read(call.request)
    _check(body)
    changes: dict[str, Any] = {}
    changes |= {name: body.text(name) for name in TEXTS if body.has(name)}
    changes |= {name: body.flag(name) for name in FLAGS if body.has(name)}
    changes |= {name: body.number(name) for name in NUMBERS if body.has(name)}
    if body.has("BlackListedLabels"):
        changes["BlackListedLabels"] = body.pairs("BlackListedLabels")
    if found := body.nested("InternalAuthSettings"):
        changes["InternalAuthSettings"] = {"RequiredPasswordLength": found.number("RequiredPasswordLength")}
    if found := body.nested("GlobalDeploymentOptions"):
        changes["GlobalDeploymentOptions"] = {"hideStacksFunctionality": found.flag("hideStacksFunctionality")}
    if body.has("EdgePortainerURL"):
        changes["EdgePortainerUrl"] = body.text("EdgePortainerURL")
    if body.has("SnapshotInterval"):
        changes["SnapshotInterval"] = _interval(body.text("SnapshotInterval"))
    call.server.store.settings = call.server.store.settings | changes
    return call.server.store.settings


def _check(body: Payload) -> None:
    if body.has("AuthenticationMethod") and body.number("AuthenticationMethod") not in (1, 2, 3):
        raise invalid(METHODS)
    for name, what in URLS.items():
        if body.text(name) and not is_url(body.text(name)):
            raise invalid(f"Invalid {what} URL. Must correspond to a valid URL format")
    if body.has("UserSessionTimeout") and not durations.valid(body.text("UserSessionTimeout")):
        raise invalid("Invalid user session timeout")
    if body.has("KubeconfigExpiry") and not durations.valid(body.text("KubeconfigExpiry")):
        raise invalid("Invalid Kubeconfig Expiry")


def _interval(text: str) -> str:
    try:
        durations.seconds(text)
    except ValueError as error:
        raise ApiError(500, "Unable to update snapshot interval", str(error)) from error
    return text
