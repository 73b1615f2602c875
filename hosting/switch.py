"""Starts and stops an instance by its Portainer alone, in seconds: no engine runs, and its data stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from yaml import YAMLError

from hosting.errors import HostingError
from hosting.order import Order
from provisioning.compose.text import load_compose
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

    def start(self, timeout_s: float, tell: Callable[[str], None]) -> None:
        """Make its containers again, and wait until all are well. RolloutFailed. One that is started is no error."""
        found = self._found()
        number = int(found["Id"])
        # What was deployed, not what the catalogue has by now: Portainer starts what it has.
        images = images_of(self._stacks.text(number))
        goal = Goal(name=self.order.compose_project, images=images, timeout_s=timeout_s)
        watch = Watch(self._stacks, Docker(self.server, self.environment_id), goal, tell)
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


def images_of(text: str) -> dict[str, str]:
    """Image by service of a compose file. NotDeployed for one that is none."""
    try:
        return {name: str(service["image"]) for name, service in load_compose(text)["services"].items()}
    except (YAMLError, KeyError, TypeError, AttributeError) as error:
        raise NotDeployed("Portainer has another text than ours; it is brought up again by the engine") from error
