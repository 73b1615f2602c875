"""`hypercompose:portainer:Access`: an accepted server that knows us, and the API key of ours there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from provider.resource import Context, Properties, Resource
from provisioning.claim import Problem
from provisioning.portainer.access import (
    Accepted,
    key_is_valid,
    login,
    make_key,
    refuse_version,
    revoke,
    set_password,
    wait,
)
from provisioning.portainer.api import Place, PortainerUnreachable
from provisioning.steps.portainer.server import SHORTEST_PASSWORD

START_S = 90.0


class Access(Resource):
    """`url`, `certificate`, `user`, `password`, `description` of the key, `accept` (releases by name).

    `data`: the server's data volume; a new one knows no key of ours. `keyGeneration`: another number makes another key.
    """

    type = "hypercompose:portainer:Access"
    stable: ClassVar[frozenset[str]] = frozenset({"apiKey", "instanceId"})
    replace_on = frozenset({"vm", "url", "user", "description"})
    secrets: ClassVar[frozenset[str]] = frozenset({"apiKey"})

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """A password that Portainer takes."""
        password = news.get("password")
        if isinstance(password, str) and len(password) < SHORTEST_PASSWORD:
            yield Problem(property="password", reason=f"shorter than {SHORTEST_PASSWORD} characters; set a longer one")

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Wait for the server, look at its release, log in once, make a key."""
        status = _accepted(context, inputs)
        place, password = _place(inputs), str(inputs["password"])
        context.tell("logging in to Portainer")
        key = make_key(login(place, str(inputs["user"]), password), password, str(inputs["description"]))
        return f"{inputs['url']}/{inputs['description']}", {**status, "apiKey": key}

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """None where the key is not known any more; the release as it is."""
        try:
            if not key_is_valid(_place(state), str(state.get("apiKey") or "")):
                return None
            return {**state, **_facts(state, 0)}
        except PortainerUnreachable as error:
            context.unread(urn, error)
            return state

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Another certificate, another password, other releases accepted: the key stays if it is still known."""
        status = _accepted(context, news)
        if olds.get("password") != news["password"]:
            set_password(_place(news), str(news["user"]), str(olds["password"]), str(news["password"]))
        key = str(olds.get("apiKey") or "")
        rotates = olds.get("keyGeneration", 1) != news.get("keyGeneration", 1)
        if rotates or not key_is_valid(_place(news), key):
            password = str(news["password"])
            key = make_key(login(_place(news), str(news["user"]), password), password, str(news["description"]))
        return {**status, "apiKey": key}

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Revoke the key. A server that is gone has none."""
        try:
            revoke(_place(state), str(state["apiKey"]), str(state["description"]))
        except PortainerUnreachable as error:
            context.warn("", f"the API key was not revoked: {error}")


def _accepted(context: Context, inputs: Properties) -> Properties:
    context.tell("waiting for Portainer")
    status = _facts(inputs, START_S)
    accepted = [
        Accepted(version=entry["version"], reason=entry["reason"], until=date.fromisoformat(entry["until"]))
        for entry in inputs.get("accept") or ()
    ]
    if warning := refuse_version(str(status["version"]), accepted):
        context.warn("", warning)
    return status


def _facts(inputs: Properties, deadline_s: float) -> Properties:
    status = wait(_place(inputs), deadline_s)
    return {"version": status["Version"], "instanceId": status["InstanceID"]}


def _place(inputs: Properties) -> Place:
    return Place(url=str(inputs["url"]), certificate=str(inputs["certificate"]))
