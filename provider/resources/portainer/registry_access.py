"""`hypercompose:portainer:RegistryAccess`: who besides administrators may use a registry in an environment."""

from __future__ import annotations

from provider.resource import Context, Properties, Resource
from provider.resources.portainer.session import server_of, told
from provisioning.portainer.registry_access import Who, access_of, give_access


class RegistryAccess(Resource):
    """`environmentId`, `registryId`, names of `users` and `teams`."""

    type = "hypercompose:portainer:RegistryAccess"
    replace_on = frozenset({"vm"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Give it to these, and take it from others."""
        self.update(context, {}, inputs)
        return f"{inputs['environmentId']}/{inputs['registryId']}", {}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """Who has it now."""

        def ask() -> Properties | None:
            found = access_of(server_of(state), int(state["environmentId"]), int(state["registryId"]))
            return {**state, "users": list(found.users), "teams": list(found.teams)} if found else None

        return told(context, urn, state, ask)

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """The same."""
        who = Who(users=tuple(news.get("users") or ()), teams=tuple(news.get("teams") or ()))
        give_access(server_of(news), int(news["environmentId"]), int(news["registryId"]), who)
        return {}

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Take it from all; a registry that is gone has none."""
        place = (server_of(state), int(state["environmentId"]), int(state["registryId"]))
        if access_of(*place) is not None:
            give_access(*place, Who())
