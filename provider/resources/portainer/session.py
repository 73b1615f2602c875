"""The session with the server that a resource names, and what a server that is away means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from provider.resource import Context, Properties
from provisioning.portainer.api import Place, Portainer, PortainerError, PortainerUnreachable

T = TypeVar("T")
UNAUTHORIZED = 401


def server_of(inputs: Properties) -> Portainer:
    """By the input `server`: `url`, `certificate`, `apiKey`."""
    found = inputs["server"]
    return Portainer(Place(url=found["url"], certificate=found["certificate"]), api_key=found["apiKey"])


def told(context: Context, urn: str, state: Properties, ask: Callable[[], T]) -> T | Properties:
    """An answer; where there is none, or none for our key, a warning and the state as it was."""
    try:
        return ask()
    except PortainerUnreachable as error:
        reason = str(error)
    except PortainerError as error:
        if error.status != UNAUTHORIZED:
            raise
        reason = "our API key is not known there any more; the next `up` makes another"
    context.unread(urn, reason)
    return state
