"""Starts and stops an instance by its Portainer alone, in seconds: no engine runs, and its data stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hosting.errors import HostingError
from hosting.order import Order
from provisioning.portainer.api import Portainer
from provisioning.portainer.containers import Docker
from provisioning.portainer.stacks import INACTIVE, Found, Stacks
from provisioning.portainer.wanted import owner_of
from provisioning.portainer.watch import Goal, Watch


class NotDeployed(HostingError):
    """Its Portainer has no such stack of ours."""


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One instance at its Portainer."""

    server: Portainer
    environment_id: int
    order: Order

    @property
    def _stacks(self) -> Stacks:
        return Stacks(self.server, self.environment_id)

    def stop(self) -> None:
        """Remove its containers and networks. One that is stopped is no error."""
        found = self._found()
        if found.get("Status") != INACTIVE:
            self._stacks.stop(int(found["Id"]))

    def start(self, images: Mapping[str, str], timeout_s: float, tell: Callable[[str], None]) -> None:
        """Make its containers again, and wait until all are well. RolloutFailed. One that is started is no error."""
        found = self._found()
        goal = Goal(name=self.order.compose_project, images=images, timeout_s=timeout_s)
        watch = Watch(self._stacks, Docker(self.server, self.environment_id), goal, tell)
        number = int(found["Id"])
        if found.get("Status") == INACTIVE:
            watch.during(lambda: self._stacks.start(number))
        watch.until_well(number)

    def _found(self) -> Found:
        """The stack in Portainer. NotDeployed where it is gone, or somebody else's."""
        found = self._stacks.find(self.order.compose_project)
        if found is None or owner_of(found) != self.order.owner:
            raise NotDeployed(
                f"instance {self.order.name}: Portainer has no stack {self.order.compose_project} of ours; "
                "it is brought up again by the engine"
            )
        return found
