"""One look at everything that time and people want: deadlines handled, instances brought on, ports compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event

from hosting import due as deadlines
from hosting import hosts, reconcile, settle, ticks
from hosting.crew import Crew
from hosting.deadlines import Policy
from hosting.due import Due
from hosting.errors import HostingError
from hosting.hosts import HostOffer
from hosting.vocabulary import Action
from hosting.worker import QUARANTINE, Tell, Worker, why
from provisioning.cold_backup import ColdBackup
from provisioning.errors import ProvisioningError
from provisioning.host import Address
from provisioning.hosts import Hosts
from provisioning.listeners import listeners

AT_ONCE = 4
MOST_STOPS = 10
"""A tick: whatever the clock says, not everybody is stopped at once."""
MOST_WORK = 40
RECONCILE_S, BACKUP_PAUSE_S = 60.0, 300.0
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
    _crew: Crew = field(default_factory=lambda: Crew(AT_ONCE), init=False)
    _reconciled: float | None = field(default=None, init=False)
    _failed: dict[str, float] = field(default_factory=dict, init=False)
    """Instance -> when its final backup failed last."""

    def run(self, ended: Event, every_s: float) -> None:
        """Tick until told to end. What goes wrong in one tick is told, and tried again in the next."""
        while not ended.is_set():
            with self._telling():
                self.look()
            ended.wait(every_s)
        self._crew.rest()

    def tick(self) -> None:
        """Look once, and wait for everything that follows."""
        try:
            self.look()
            self._crew.rest()
            self._bring_on()  # what people asked for of those that something was under way with
        finally:
            self._crew.rest()

    def look(self) -> None:
        """Once. What takes long goes on behind it."""
        for what in self._due():
            with self._telling():
                self._handle(what)
        if self._reconciled is None or self.monotonic() - self._reconciled >= RECONCILE_S:
            self.reconcile()
            self._reconciled = self.monotonic()
        self._bring_on()

    def reconcile(self) -> None:
        """What environments tell of their hosts, and who listens there."""
        for name in self.environments:
            with self._telling():
                self._reconcile(name)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What goes wrong with one does not concern the others, whatever it is."""
        try:
            yield
        except Exception as error:
            self.tell(why(error))

    def _due(self) -> list[Due]:
        database, now = self.worker.database, self.worker.clock()
        reading = ticks.Reading(at=now, monotonic_s=self.monotonic(), boot=BOOT_ID.read_text().strip())
        verdict = database.transact(ticks.tick, reading)
        if verdict.why:
            self.tell(verdict.why)
        with database.read() as session:
            return deadlines.due(session, now=now, policy=self.policy, cap=self.cap, is_held=verdict.is_held)

    def _handle(self, what: Due) -> None:
        if what.action is Action.FINAL_BACKUP:
            self._give(what.instance, lambda: self._done(what, self._back_up(what)))
        else:
            self._done(what, self._write(what))

    def _done(self, what: Due, is_done: bool) -> None:
        if is_done:
            self.tell(f"{what.name}: {what.action.value} (deadline {what.deadline:%Y-%m-%d %H:%M} UTC, {what.owner})")

    def _write(self, what: Due) -> bool:
        now = self.worker.clock()
        return self.worker.database.transact(
            deadlines.handle, what, now=now, policy=self.policy, who=self.worker.holder
        )

    def _back_up(self, what: Due) -> bool:
        """While nobody else works on it. What fails is told, and tried again: nothing is destroyed without."""
        if self.monotonic() - self._failed.get(what.instance, -BACKUP_PAUSE_S) < BACKUP_PAUSE_S:
            return False
        with self.worker.holding(what.instance) as token:
            instance = self.worker.row(what.instance)
            if token is None or instance is None:
                return False
            order = self.worker.order_of(instance)
            if not self.worker.catalogue.has_final_backup(order):
                return self._write(what)
            try:
                address = self.worker.environment(order.environment).address(order.host)
                backup = ColdBackup(project=order.compose_project, at=self.worker.clock())
                self.tell(f"{what.name}: final backup at {order.host}: {backup.make(self.ssh, address)}")
            except (HostingError, ProvisioningError) as error:
                self.tell(f"{what.name}: final backup: {error}")
                self._failed[what.instance] = self.monotonic()
                return False
            return self._write(what)

    def _bring_on(self) -> None:
        with self.worker.database.read() as session:
            found = settle.candidates(session, now=self.worker.clock(), limit=MOST_WORK)
        for instance in found:
            self._give(instance.id, partial(self.worker.settle, instance.id, self.tell))

    def _give(self, instance: str, work: Callable[[], object]) -> None:
        def telling() -> None:
            with self._telling():
                work()

        self._crew.give(instance, telling)

    def _reconcile(self, name: str) -> None:
        environment = self.worker.environment(name)
        database, offers = self.worker.database, environment.offers()
        database.transact(hosts.told, offers)
        database.transact(hosts.close_others, name, [offer.host for offer in offers])
        for offer in offers:
            with self._telling():
                self._compare(offer, environment.address(offer.host))

    def _compare(self, offer: HostOffer, address: Address) -> None:
        """What the rows say of a host's ports, with who listens there."""
        found, now = listeners(self.ssh, address), self.worker.clock()
        database = self.worker.database
        done = database.transact(reconcile.reconcile, offer.name, found, now=now, quarantine=QUARANTINE)
        for who in done.disputed.values():
            self.tell(f"{offer.name}: a port of {who} listens there")
