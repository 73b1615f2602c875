"""`hypercompose:portainer:Environment`: the Docker that the server runs on, or another host's, under a name."""

from __future__ import annotations

from typing import ClassVar

from provider.resource import Context, Properties, Resource
from provider.resources.portainer.session import server_of, told
from provisioning.portainer.objects import Remote, ensure_environment, find_environment, remove_environment


class Environment(Resource):
    """`name`; for another host `remote`: `url`, and `authority`, `certificate`, `key` or `agent`.

    Gives `environmentId`. Deleting it would orphan its stacks, so they go first."""

    type = "hypercompose:portainer:Environment"
    stable: ClassVar[frozenset[str]] = frozenset({"environmentId"})
    replace_on = frozenset({"vm", "name"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """The one of that name, or a new one."""
        identity = ensure_environment(server_of(inputs), str(inputs["name"]), _remote(inputs))
        return str(identity), {"environmentId": identity}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """None where the server has none of that name."""

        def ask() -> Properties | None:
            found = find_environment(server_of(state), str(state["name"]))
            if found is None:
                return None
            remote = {"remote": {**state["remote"], "url": found["URL"]}} if state.get("remote") else {}
            return {**state, **remote, "environmentId": int(found["Id"])}

        return told(context, urn, state, ask)

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Another session, other certificates, another address."""
        return {"environmentId": ensure_environment(server_of(news), str(news["name"]), _remote(news))}

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Remove it."""
        remove_environment(server_of(state), int(state["environmentId"]))


def _remote(inputs: Properties) -> Remote | None:
    found = inputs.get("remote")
    if not found:
        return None
    return Remote(
        url=found["url"],
        authority=str(found.get("authority") or ""),
        certificate=str(found.get("certificate") or ""),
        key=str(found.get("key") or ""),
        is_agent=bool(found.get("agent")),
    )
