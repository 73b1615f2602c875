"""`hypercompose:host:<Kind>`: one step on one host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from provider.resource import Context, HalfMade, Properties, Resource
from provider.values import is_known
from provisioning.claim import Problem
from provisioning.host import Address, CommandTimeout, ConnectionLost, HostUnreachable
from provisioning.hosts import StepFailed
from provisioning.steps.kind import AS_WANTED, Arguments, Kind
from provisioning.steps.step import Step

PLACE = ("connection", "step", "vm", "state")
"""Inputs of every kind; the rest are the kind's arguments."""


class StepResource(Resource):
    """Serves one kind. The step has the name of its resource, which is unique on the host."""

    defaults: ClassVar[Mapping[str, Any]] = {"state": AS_WANTED}
    delete_before_replace = True

    def __init__(self, kind: Kind) -> None:
        """Take the kind."""
        self._kind = kind
        self.type = f"hypercompose:host:{kind.name}"  # type: ignore[misc]
        self.stable = kind.stable  # type: ignore[misc]
        self.replace_on = frozenset({"vm", "step"}) | kind.replace_on  # type: ignore[misc]

    def check(self, context: Context, urn: str, olds: Properties, news: Properties) -> Iterator[Problem]:
        """Refuse arguments that no host could take."""
        args = _arguments(news)
        if not is_known(args):
            return
        found = list(self._kind.problems(args))
        yield from found
        if not found:
            try:
                self._kind.step("check", args)
            except ValueError as error:
                yield Problem(property="", reason=str(error))

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Bring it about. One that fails on its way stays in the state: the next run goes on with it, or undoes it."""
        identity = f"{inputs['connection']['host']}:{inputs['step']}"
        try:
            return identity, self._converge(context, inputs)
        except (StepFailed, ConnectionLost, CommandTimeout) as error:
            raise HalfMade(identity, str(error)) from error

    def read(self, context: Context, urn: str, identity: str, state: Properties) -> Properties | None:
        """The arguments as the host has them now; a host that does not answer is unknown, and a warning."""
        try:
            found = context.hosts.look(address_of(state), self._step(state))
        except HostUnreachable as error:
            context.unread(urn, error)
            return state
        return {**state, **self._kind.read(_arguments(state), found), **self._kind.outputs(found)}

    def update(self, context: Context, olds: Properties, news: Properties) -> Properties:
        """Bring it to the new arguments."""
        return self._converge(context, news)

    def delete(self, context: Context, identity: str, state: Properties) -> None:
        """Take it back."""
        context.hosts.revert(address_of(state), self._step(state))

    def _converge(self, context: Context, inputs: Properties) -> Properties:
        step = self._step(inputs)
        done = context.hosts.converge(address_of(inputs), step, can_lock_out=self._kind.can_lock_out)
        return self._kind.outputs(done.found)

    def _step(self, inputs: Properties) -> Step:
        return self._kind.step(str(inputs["step"]), _arguments(inputs))


def _arguments(inputs: Properties) -> Arguments:
    return {name: value for name, value in inputs.items() if name not in PLACE}


def address_of(inputs: Mapping[str, Any]) -> Address:
    """By the input `connection`."""
    place = inputs["connection"]
    return Address(
        host=place["host"], user=place["user"], host_key=place["host_key"], port=int(place.get("port") or 22)
    )
