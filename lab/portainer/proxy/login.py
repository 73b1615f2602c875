"""Pulls and pushes with the login of a registry that this server knows: `X-Registry-Auth` names its number."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from lab.portainer.deployments import accessible

if TYPE_CHECKING:
    from lab.portainer.proxy.forward import Passing

HEADER = "X-Registry-Auth"


def headers(passing: Passing, given: dict[str, str]) -> dict[str, str]:
    """The headers, with the login in place of the number; anything that is not a number is passed on as it is."""
    sent = passing.call.request.headers.get(HEADER)
    wanted = _decoded(sent) if sent and _uses_registry(passing) else None
    if wanted is None:
        return given
    rest = {name: value for name, value in given.items() if name.lower() != HEADER.lower()}
    if not wanted:
        return rest
    number = next((value for name, value in wanted.items() if name.lower() == "registryid"), None)
    return given if not isinstance(number, int) else rest | {HEADER: _encoded(_login(passing, number))}


def _uses_registry(passing: Passing) -> bool:
    """Pulls, pushes and changes of swarm services."""
    pushes = passing.path.startswith("/images/") and passing.path.endswith("/push") and passing.method == "POST"
    services = passing.path.startswith("/services/")
    return passing.path == "/images/create" or pushes or services


def _login(passing: Passing, number: int) -> dict[str, str]:
    """Of a registry that the caller may not use, or that is not there: empty."""
    if number == 0:
        return {"username": "", "password": "", "serveraddress": "docker.io"}
    call = passing.call
    for registry in accessible(call.server.store, call.user, passing.endpoint["Id"]):
        if registry["Id"] == number:
            names = {"username": "Username", "password": "Password", "serveraddress": "URL"}
            return {name: registry[field] for name, field in names.items()}
    return {"username": "", "password": "", "serveraddress": ""}


def _decoded(text: str) -> dict[str, Any] | None:
    """The header's object; None when it is not standard base64 with padding, which is all the real server takes."""
    try:
        value = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _encoded(value: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
