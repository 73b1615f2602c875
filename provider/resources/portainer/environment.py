"""`hypercompose:portainer:Environment`: the Docker that the server runs on, under a name."""

from __future__ import annotations

from typing import ClassVar

from provider.resource import Context, Properties, Resource
from provider.resources.portainer.session import server_of, told
from provisioning.portainer.objects import ensure_environment, find_environment, remove_environment


class Environment(Resource):
    """`name`; gives `environmentId`. Deleting it would orphan its stacks, so they go first."""

    type = "hypercompose:portainer:Environment"
    stable: ClassVar[frozenset[str]] = frozenset({"environmentId"})
    replace_on = frozenset({"vm", "name"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """The one of that name, or a new one."""
        identity = ensure_environment(server_of(inputs), str(inputs["name"]))
        return str(identity), {"environmentId": identity}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """None where the server has none of that name."""

        def ask() -> Properties | None:
            found = find_environment(server_of(state), str(state["name"]))
            return {**state, "environmentId": int(found["Id"])} if found else None

        return told(context, urn, state, ask)

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Only the session can have changed."""
        return {"environmentId": ensure_environment(server_of(news), str(news["name"]))}

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Remove it."""
        remove_environment(server_of(state), int(state["environmentId"]))
