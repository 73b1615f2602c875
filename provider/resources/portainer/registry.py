"""`hypercompose:portainer:Registry`: a container registry that stacks may pull from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from provider.resource import Context, Properties, Resource
from provider.resources.portainer.session import server_of, told
from provisioning.claim import Problem
from provisioning.portainer.objects import REGISTRY_TYPES, ensure_registry, find_registry, remove_registry


class Registry(Resource):
    """`name`, `kind` (proget, custom), `url` without a scheme, `user`, `password`; gives `registryId`."""

    type = "hypercompose:portainer:Registry"
    stable: ClassVar[frozenset[str]] = frozenset({"registryId"})
    replace_on = frozenset({"vm", "name", "kind"})
    delete_before_replace = True

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """A kind that there is, an address as images carry it."""
        if news.get("kind") not in REGISTRY_TYPES:
            yield Problem(property="kind", reason=f"{news.get('kind')!r}, expected one of {', '.join(REGISTRY_TYPES)}")
        if "://" in str(news.get("url")):
            yield Problem(property="url", reason=f"{news['url']!r}, expected it without a scheme, as images carry it")

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """The one of that name, or a new one."""
        identity = ensure_registry(server_of(inputs), inputs)
        return str(identity), {"registryId": identity}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """As the server has it; its password is taken for the one that we set, as no answer may show it."""

        def ask() -> Properties | None:
            found = find_registry(server_of(state), str(state["name"]))
            if found is None:
                return None
            user = {"user": str(found.get("Username") or "")} if state.get("user") else {}
            return {**state, **user, "url": str(found["URL"]), "registryId": int(found["Id"])}

        return told(context, urn, state, ask)

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Bring it to the new inputs."""
        return {"registryId": ensure_registry(server_of(news), news)}

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Remove it."""
        remove_registry(server_of(state), int(state["registryId"]))
