"""A release on its way to running containers: Portainer told, the containers watched, compose run where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from provisioning.gate.config import Gated
from provisioning.gate.engine import Engine, EngineError, remove, up
from provisioning.gate.mirror import Mirror
from provisioning.gate.portainer import DATA, knock, unstick
from provisioning.gate.state import Store, Version
from provisioning.gate.watch import LOOK_S, Watch

KNOCK_AGAIN_S = 10.0
KNOCKS_IN_VAIN = 2
"""Portainer hears them and does nothing: then the gate does it by itself. One that is away is waited for."""
KNOCK_BACK_S = 3.0
DEPLOYING_S = 30.0
"""Portainer has fetched the release and is at it: a second deployment beside the first would only be in its way."""
ALONE_S, ALONE_LATER_S = 8.0, 16.0
"""How long Portainer has to bring the version before back, until the gate does it by itself; where it is at it."""
WELL_TWICE = 2


class NotYet(Exception):
    """Portainer does not have the stack yet."""


class DoesNotRun(Exception):
    """The version does not become well. `again`: what was in its way may go by itself."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        """Say why."""
        super().__init__(reason)
        self.again = again


@dataclass(frozen=True, kw_only=True)
class Back:
    """How the version before came back. `alone`: without Portainer."""

    seconds: float
    alone: bool


@dataclass(frozen=True)
class Deployment:
    """Of one stack, whose release its mirror serves already."""

    stack: Gated
    store: Store
    mirror: Mirror
    engine: Engine
    tell: Callable[[str], None]

    def bring_up(self, version: Version, since: str, *, is_first: bool = False, resumed: bool = False) -> None:
        """Portainer is told, and the containers watched. Raises NotYet, DoesNotRun.

        `is_first`: nothing of the stack has run before.

        `resumed`: the host may have been restarted, and a deployment that ended with it says nothing of the version.
        """
        watch, began, well = watch_of(self.engine, self.stack), time.monotonic(), 0
        said, knocked, knocks = knock(self.stack), began, 0
        watch.look()
        while well < WELL_TWICE:
            missing = list(watch.missing(version))
            well = 0 if missing else well + 1
            if missing and is_first and said:
                raise NotYet  # Portainer will deploy it when it gets the stack
            if resumed and watch.is_gone:
                self.tell(f"{version.commit[:10]}: its deployment was broken off; once more")
                resumed = False
                self._alone(version)
                watch.look()
            _refuse_failure(watch, version, is_first=is_first)
            if missing and time.monotonic() - began > self.stack.timeout_s:
                first = [f"not done within {self.stack.timeout_s} s", *filter(None, [said])]
                raise DoesNotRun("; ".join([*first, *missing, *watch.reasons()]), again=bool(said))
            pause = DEPLOYING_S if self.store.was_fetched(since) else KNOCK_AGAIN_S
            if missing and time.monotonic() - knocked > pause:
                said, knocked, knocks = self._knock_again(), time.monotonic(), knocks + 1
                if not said and knocks == KNOCKS_IN_VAIN and not self.store.was_fetched(since):
                    self._alone(version)
            self.tell(f"{version.commit[:10]}: {missing[0] if missing else 'well'}")
            time.sleep(LOOK_S)
            watch.look()
        remove(watch.orphans(version))

    def bring_back(self, version: Version, since: str) -> Back | None:
        """Portainer is told until its containers are there; when it takes too long, compose is run here.

        None: it is not there within the stack's time.
        """
        watch, began, alone = watch_of(self.engine, self.stack), time.monotonic(), False
        knock(self.stack)
        knocked = began
        while True:
            watch.look()
            if not list(watch.missing(version)):
                break
            spent = time.monotonic() - began
            if spent > self.stack.timeout_s:
                return None
            if watch.lacks(version):
                is_at_it = self.store.was_fetched(since)
                if spent > (ALONE_LATER_S if is_at_it else ALONE_S) and not alone:
                    alone = True
                    self._alone(version)
                elif not is_at_it and time.monotonic() - knocked > KNOCK_BACK_S:
                    self._knock_again()
                    knocked = time.monotonic()
            time.sleep(LOOK_S)
        remove(watch.orphans(version))
        return Back(seconds=round(time.monotonic() - began, 1), alone=alone)

    def _knock_again(self) -> str:
        """With what may be in Portainer's way taken out of it."""
        if unstick(self.stack, self.engine.volume(DATA)):
            self.tell("a fetch of Portainer's had broken off; its rest is removed")
        return knock(self.stack)

    def _alone(self, version: Version) -> None:
        self.tell("Portainer does not bring it back; running compose here")
        try:
            up(self.stack.name, self.mirror.text(version.release), self.stack.timeout_s)
        except EngineError as error:
            self.tell(str(error))


def watch_of(engine: Engine, stack: Gated) -> Watch:
    """Looks at the stack's containers."""
    return Watch(engine, stack.name, stack.secrets)


def _refuse_failure(watch: Watch, version: Version, *, is_first: bool) -> None:
    if failed := watch.failed(version):
        raise DoesNotRun("; ".join(failed))
    if watch.is_gone and not is_first:
        raise DoesNotRun("; ".join(["its containers were removed again", *watch.reasons()]))
