"""The Docker API of an environment."""

from __future__ import annotations

from lab.portainer import endpoints
from lab.portainer.proxy.forward import forward
from lab.portainer.routing import Call, route


@route("*", "/endpoints/{id}/docker/{rest*}")
async def proxied(call: Call) -> object:
    """Passed on to the environment's engine, with access rules on the way."""
    endpoint = endpoints.find(call, call.number("id", "environment"))
    endpoints.check_access(call, endpoint)
    return await forward(call, endpoint)
