"""What users who are no administrators may not ask an engine for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from lab.portainer import controls
from lab.portainer.engine import EngineError
from lab.portainer.replies import ApiError

if TYPE_CHECKING:
    from lab.portainer.proxy.forward import Passing

REFUSED = "Unable to proxy the request via the Docker socket"
DENIED = ApiError(500, REFUSED, "mime: no media type")
"""As recorded: the real server fails to read its own refusal."""
ADMIN_PATHS = ("/containers/prune", "/volumes/prune", "/nodes/", "/swarm/")
KINDS = {"containers": controls.CONTAINER, "networks": controls.NETWORK, "volumes": controls.VOLUME}
OPEN_NAMES = ("json", "create", "prune")
CHUNK = 1 << 16


async def checked_body(passing: Passing) -> bytes | AsyncIterator[bytes] | None:
    """The request's body to pass on. An error when the caller may not do what it asks for."""
    request = passing.call.request
    if not passing.call.is_admin:
        await _check(passing)
        if passing.path == "/containers/create":
            body = await request.read()
            _check_new_container(passing, json.loads(body or b"{}"))
            return body
    if not request.can_read_body:
        return None
    if request.content_length is not None and request.content_length <= CHUNK:
        return await request.read()
    return request.content.iter_any()


async def _check(passing: Passing) -> None:
    if passing.path.startswith(ADMIN_PATHS):
        raise DENIED
    parts = passing.path.strip("/").split("/")
    kind = KINDS.get(parts[0])
    if kind is None or len(parts) < 2 or parts[1] in OPEN_NAMES or passing.method == "GET":
        return
    store = passing.call.server.store
    control = controls.find(store, parts[1], kind)
    if control is None:
        labels = await _labels(passing, parts)
        control = controls.inherited(store, labels, passing.endpoint["Id"])
    if not controls.may_see(control, passing.call.user, is_admin=False):
        raise DENIED


async def _labels(passing: Passing, parts: list[str]) -> dict[str, str]:
    suffix = "/json" if parts[0] == "containers" else ""
    try:
        found = await passing.call.server.engines.get(passing.endpoint, f"/{parts[0]}/{parts[1]}{suffix}")
    except EngineError as error:
        raise ApiError(500, REFUSED, str(error)) from error
    return (found.get("Config") or found).get("Labels") or {}


def _check_new_container(passing: Passing, wanted: dict[str, Any]) -> None:
    host, allowed = wanted.get("HostConfig") or {}, passing.endpoint["SecuritySettings"]
    rules = (
        ("allowPrivilegedModeForRegularUsers", host.get("Privileged"), "privileged mode"),
        ("allowHostNamespaceForRegularUsers", host.get("PidMode") == "host", "pid host namespace"),
        ("allowDeviceMappingForRegularUsers", host.get("Devices"), "device mapping"),
        ("allowSysctlSettingForRegularUsers", host.get("Sysctls"), "sysctl settings"),
        ("allowBindMountsForRegularUsers", _binds(host), "bind mounts"),
    )
    for setting, used, what in rules:
        if used and not allowed[setting]:
            raise ApiError(403, REFUSED, f"forbidden to use {what}")
    if (host.get("CapAdd") or host.get("CapDrop")) and not allowed["allowContainerCapabilitiesForRegularUsers"]:
        raise ApiError(500, REFUSED, "forbidden to use container capabilities")


def _binds(host: dict[str, Any]) -> bool:
    return any(bind.startswith("/") for bind in host.get("Binds") or [])
