"""One look at everything that time and people want: deadlines handled, instances brought on, ports compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from hosting import due as deadlines
from hosting import hosts, reconcile, settle, ticks
from hosting.deadlines import Policy
from hosting.due import Due
from hosting.environment import EnvironmentAway
from hosting.errors import HostingError
from hosting.vocabulary import Action
from hosting.worker import QUARANTINE, Tell, Worker
from provisioning.cold_backup import ColdBackup
from provisioning.errors import ProvisioningError
from provisioning.hosts import Hosts
from provisioning.listeners import listeners

AT_ONCE = 4
MOST_STOPS = 10
"""A tick: whatever the clock says, not everybody is stopped at once."""
MOST_WORK = 40
RECONCILE_S = 60.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(kw_only=True)
class Ticker:
    """`environments`: whose hosts are looked after."""

    worker: Worker
    ssh: Hosts
    environments: tuple[str, ...]
    policy: Policy
    tell: Tell = print
    cap: int = MOST_STOPS
    monotonic: Callable[[], float] = time.monotonic
    _reconciled: float | None = field(default=None, init=False)

    def run(self, ended: Event, every_s: float) -> None:
        """Tick until told to end. What goes wrong in one tick is told, and tried again in the next."""
        while not ended.is_set():
            try:
                self.tick()
            except HostingError as error:
                self.tell(str(error))
            ended.wait(every_s)

    def tick(self) -> None:
        """Once."""
        for what in self._due():
            self._handle(what)
        if self._reconciled is None or self.monotonic() - self._reconciled >= RECONCILE_S:
            self.reconcile()
            self._reconciled = self.monotonic()
        self._bring_on()

    def reconcile(self) -> None:
        """What environments tell of their hosts, and who listens there."""
        for name in self.environments:
            try:
                self._reconcile(name)
            except (EnvironmentAway, ProvisioningError) as error:
                self.tell(str(error))

    def _due(self) -> list[Due]:
        database, now = self.worker.database, self.worker.clock()
        reading = ticks.Reading(at=now, monotonic_s=self.monotonic(), boot=BOOT_ID.read_text().strip())
        verdict = database.transact(ticks.tick, reading)
        if verdict.why:
            self.tell(verdict.why)
        with database.read() as session:
            return deadlines.due(session, now=now, policy=self.policy, cap=self.cap, is_held=verdict.is_held)

    def _handle(self, what: Due) -> None:
        done = self._back_up(what) if what.action is Action.FINAL_BACKUP else self._write(what)
        if done:
            self.tell(f"{what.name}: {what.action.value} (deadline {what.deadline:%Y-%m-%d %H:%M} UTC, {what.owner})")

    def _write(self, what: Due) -> bool:
        now = self.worker.clock()
        return self.worker.database.transact(
            deadlines.handle, what, now=now, policy=self.policy, who=self.worker.holder
        )

    def _back_up(self, what: Due) -> bool:
        """While nobody else works on it. What fails is told, and tried again: nothing is destroyed without."""
        with self.worker.holding(what.instance) as token:
            instance = self.worker.row(what.instance)
            if token is None or instance is None:
                return False
            order = self.worker.order_of(instance)
            try:
                address = self.worker.environment(order.environment).address(order.host)
                backup = ColdBackup(project=order.compose_project, at=self.worker.clock())
                self.tell(f"{what.name}: final backup at {order.host}: {backup.make(self.ssh, address)}")
            except (HostingError, ProvisioningError) as error:
                self.tell(f"{what.name}: final backup: {error}")
                return False
            return self._write(what)

    def _bring_on(self) -> None:
        with self.worker.database.read() as session:
            found = settle.candidates(session, now=self.worker.clock(), limit=MOST_WORK)
        settle_all(self.worker, [instance.id for instance in found], self.tell)

    def _reconcile(self, name: str) -> None:
        environment = self.worker.environment(name)
        database, offers = self.worker.database, environment.offers()
        database.transact(hosts.told, offers)
        database.transact(hosts.close_others, name, [offer.host for offer in offers])
        for offer in offers:
            try:
                found = listeners(self.ssh, environment.address(offer.host))
            except ProvisioningError as error:
                self.tell(f"{offer.name}: {error}")
                continue
            now = self.worker.clock()
            done = database.transact(reconcile.reconcile, offer.name, found, now=now, quarantine=QUARANTINE)
            for who in done.disputed.values():
                self.tell(f"{offer.name}: a port of {who} listens there")


def settle_all(worker: Worker, instances: Iterable[str], tell: Tell) -> None:
    """Bring several on, a few at a time. What goes wrong with one does not concern the others."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(worker.settle, instance, tell) for instance in instances]:
            try:
                done.result()
            except HostingError as error:
                tell(str(error))
