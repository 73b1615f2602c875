"""Brings one instance to what its row wants, under its lock. Whoever dies on the way is followed by another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from hosting import lock, ports, states
from hosting.database import Database
from hosting.engine import Engine
from hosting.environment import Environment
from hosting.errors import Busy, HostingError, IllegalMove, LockLost, NotThere
from hosting.model import Instance
from hosting.order import Order
from hosting.routes import full_name
from hosting.settle import todo
from hosting.switch import NotDeployed, Switch
from hosting.vocabulary import State, Todo
from provisioning.errors import ProvisioningError
from settings import SettingsError

LOCK_S = 90.0
QUARANTINE = timedelta(minutes=10)
STEPS = 8
"""More than any instance needs one after the other; a bound for one that people change all the time."""
HALF_DONE = frozenset({State.CREATING, State.FAILED})
"""States that somebody was in the middle of, or failed in: the world is looked at before anything is done."""
Tell = Callable[[str], None]


class Catalogue(Protocol):
    """What a product's instances need to be known of."""

    def ready_s(self, order: Order) -> float:
        """How long it may take until all is well."""

    def has_final_backup(self, order: Order) -> bool:
        """Whether its data is archived before it goes with its time."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """`holder`: who is told to hold an instance meanwhile, such as user and machine."""

    database: Database
    engine: Engine
    environment: Callable[[str], Environment]
    catalogue: Catalogue
    site: str
    holder: str
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def settle(self, instance_id: str, tell: Tell = lambda line: None) -> State | None:
        """Its state in the end: None when it is gone. One that somebody else works on is left to them."""
        try:
            with self.holding(instance_id) as token:
                for _ in range(STEPS if token is not None else 0):
                    if not self._step(instance_id, token or 0, tell):
                        break
        except LockLost as error:
            tell(str(error))
        found = self.row(instance_id)
        if token is None and found and found.lock_holder:
            tell(f"{found.name}: {found.lock_holder} works on it")
        return found.state if found else None

    @contextmanager
    def holding(self, instance_id: str) -> Iterator[int | None]:
        """Hold an instance to the end of the block; None where somebody else does, or it is gone."""
        try:
            token = self.database.transact(lock.take, instance_id, self.holder, now=self.clock(), for_s=LOCK_S)
        except NotThere:
            token = None
        if token is None:
            yield None
            return
        ended = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(instance_id, token, ended), daemon=True)
        keeper.start()
        try:
            yield token
        finally:
            ended.set()
            keeper.join()
            with suppress(NotThere):
                self.database.transact(lock.give_back, instance_id, token, now=self.clock())

    def row(self, instance_id: str) -> Instance | None:
        """The instance as it is now."""
        with self.database.read() as session:
            return session.get(Instance, instance_id)

    def abandon(self, instance_id: str, tell: Tell = lambda line: None) -> None:
        """Forget one that is being deleted with what its host has of it: for hosts that are gone for good."""
        with self.holding(instance_id) as token:
            instance = self.row(instance_id)
            if token is None or instance is None:
                raise Busy(f"instance: {instance_id}, somebody works on it; ask again when that has ended")
            if instance.state is not State.DELETING:
                raise IllegalMove(
                    f"state: {instance.state} of {instance.name}, expected {State.DELETING}; delete it first"
                )
            self.engine.run("abandon", self.order_of(instance), tell)
            self._write(states.forget, instance_id, token=token, quarantine=QUARANTINE)

    def order_of(self, instance: Instance) -> Order:
        """What the engine is asked for."""
        environment, _, host = instance.host.partition("/")
        return Order(
            site=self.site,
            environment=environment,
            host=host,
            name=instance.name,
            product=instance.product,
            version=instance.version,
            size=instance.size,
            tenant=instance.tenant,
            settings=instance.settings,
            ports={port.name: port.number for port in instance.ports},
            route=full_name(instance.route, instance.domain),
            run=instance.run.value,
            keep_volumes=instance.keep_volumes,
        )

    def _step(self, instance_id: str, token: int, tell: Tell) -> bool:
        """One thing done; False when there is nothing left to do, or it failed."""
        instance = self.row(instance_id)
        what = todo(instance) if instance else None
        if instance is None or what is None:
            return False
        tell(f"{instance.name}: {what.value}")
        try:
            _DO[what](self, instance, token, tell)
        except LockLost:
            raise
        except Exception as error:  # also what nobody foresaw: untold, it would be tried anew by every tick
            return self._failed(instance_id, token, what, why(error), tell)
        return True

    def _failed(self, instance_id: str, token: int, what: Todo, why: str, tell: Tell) -> bool:
        """Whether to go on all the same: one that was deleted meanwhile need not wait for what it was to be."""
        instance = self.row(instance_id)
        if instance is None or (instance.state is State.DELETING and what is not Todo.DELETE):
            return instance is not None
        tell(f"{instance.name}: {why}")
        self._write(states.fail, instance_id, why, token=token)
        return False

    def _create(self, instance: Instance, token: int, tell: Tell) -> None:
        if any(port.taken_by_others for port in instance.ports):
            self._write(ports.reallocate, instance.id, token=token, quarantine=QUARANTINE)
            instance = self.row(instance.id) or instance
        self._write(states.move, instance.id, State.CREATING, token=token)
        self.engine.run("repair" if instance.state in HALF_DONE else "up", self.order_of(instance), tell)
        self._write(states.move, instance.id, State.RUNNING, token=token, made=instance.generation)

    def _start(self, instance: Instance, token: int, tell: Tell) -> None:
        self._write(states.move, instance.id, State.STARTING, token=token)
        order = self.order_of(instance)
        if instance.state is State.FAILED or not self._switched_on(order, tell):
            self.engine.run("repair", order, tell)
        self._write(states.move, instance.id, State.RUNNING, token=token)

    def _switched_on(self, order: Order, tell: Tell) -> bool:
        """Whether its Portainer could start it: false where that has lost it."""
        try:
            self._switch(order).start(self.catalogue.ready_s(order), tell)
        except NotDeployed as error:
            tell(str(error))
            return False
        return True

    def _stop(self, instance: Instance, token: int, tell: Tell) -> None:
        self._write(states.move, instance.id, State.STOPPING, token=token)
        try:
            self._switch(self.order_of(instance)).stop()
        except NotDeployed:
            tell(f"{instance.name}: was not there")
        self._write(states.move, instance.id, State.STOPPED, token=token)

    def _delete(self, instance: Instance, token: int, tell: Tell) -> None:
        self.engine.run("destroy", self.order_of(instance), tell)
        self._write(states.forget, instance.id, token=token, quarantine=QUARANTINE)

    def _switch(self, order: Order) -> Switch:
        server, number = self.environment(order.environment).portainer(order.host)
        return Switch(server=server, environment_id=number, order=order)

    def _write(self, change: Callable[..., object], instance_id: str, *to: object, token: int, **more: object) -> None:
        """A change of the row that the holder of the lock alone may make."""
        self.database.transact(change, instance_id, *to, token=token, now=self.clock(), who=self.holder, **more)

    def _keep(self, instance_id: str, token: int, ended: threading.Event) -> None:
        """Renew the lock until the end. One that is lost is told by the next change of the row."""
        while not ended.wait(LOCK_S / 3):
            with suppress(HostingError):
                self.database.transact(lock.renew, instance_id, token, now=self.clock(), for_s=LOCK_S)


def why(error: Exception) -> str:
    """For people: what is foreseen has its sentence."""
    is_foreseen = isinstance(error, HostingError | ProvisioningError | SettingsError)
    return str(error) if is_foreseen else f"{type(error).__name__}: {error}"


_DO: Mapping[Todo, Callable[[Worker, Instance, int, Tell], None]] = {
    Todo.CREATE: Worker._create,
    Todo.START: Worker._start,
    Todo.STOP: Worker._stop,
    Todo.DELETE: Worker._delete,
}
