"""How a host is reached, and its steps: child resources, each after the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.native import HostStep, NativeProvider


@dataclass(frozen=True, kw_only=True)
class HostConnection:
    """Where and how to log in. For a VM also its id, so that another VM gets everything anew."""

    name: str
    host: pulumi.Input[str]
    user: pulumi.Input[str]
    host_key: pulumi.Input[str]
    port: pulumi.Input[int] = 22
    vm: pulumi.Input[str] | None = None
    gone_with: pulumi.Resource | None = None
    """The VM: when it is deleted, nothing on it has to be undone."""
    ready: tuple[pulumi.Resource, ...] = ()
    """What must be there before the first step."""

    def inputs(self) -> dict[str, Any]:
        """As steps take it."""
        place = {"host": self.host, "port": self.port, "user": self.user, "host_key": self.host_key}
        return {"connection": place, **({"vm": self.vm} if self.vm is not None else {})}


class StepChain:
    """Adds steps to a component, each after the one before: on one host they run one at a time, in a known order."""

    def __init__(
        self,
        parent: pulumi.Resource,
        provider: NativeProvider,
        connection: HostConnection,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        """Take the component, and what comes before its first step."""
        self._parent, self._provider, self._connection = parent, provider, connection
        self.last: tuple[pulumi.Resource, ...] = tuple(after) or connection.ready

    def add(self, kind: str, part: str, arguments: Mapping[str, Any], *secret: str) -> HostStep:
        """One step, named `<host>-<part>`; arguments that are None are left out. `secret` names outputs to hide."""
        name = f"{self._connection.name}-{part}"
        given = {key: value for key, value in arguments.items() if value is not None}
        options = pulumi.ResourceOptions(
            parent=self._parent,
            provider=self._provider,
            depends_on=list(self.last),
            deleted_with=self._connection.gone_with,
            additional_secret_outputs=list(secret) or None,
        )
        step = HostStep(kind, name, {**self._connection.inputs(), "step": name, **given}, options)
        self.last = (step,)
        return step
