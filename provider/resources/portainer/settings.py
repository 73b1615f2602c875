"""`hypercompose:portainer:Settings`: settings of the server that we hold to a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provider.resource import Context, Properties, Resource
from provider.resources.portainer.session import server_of, told
from provisioning.portainer.objects import settings_of


class Settings(Resource):
    """`settings`: Portainer's own names and values. A name that a release does not know is left alone."""

    type = "hypercompose:portainer:Settings"
    replace_on = frozenset({"vm"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Set what differs."""
        _set(inputs)
        return f"{inputs['server']['url']}/settings", {}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """The same settings as they are."""
        return told(context, urn, state, lambda: {**state, "settings": _now(state)})

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Set what differs."""
        _set(news)
        return {}


def _now(inputs: Properties) -> Mapping[str, Any]:
    found = settings_of(server_of(inputs))
    return {name: found.get(name, value) for name, value in inputs["settings"].items()}


def _set(inputs: Properties) -> None:
    now = _now(inputs)
    differing = {name: value for name, value in inputs["settings"].items() if now[name] != value}
    if differing:
        server_of(inputs).put("/settings", differing)
