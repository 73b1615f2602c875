"""A worker with an engine, a Portainer and a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from hosting import switch, wishes
from hosting.database import Database
from hosting.environment import EnvironmentAway
from hosting.events import history
from hosting.hosts import HostOffer
from hosting.model import Instance, Port
from hosting.order import Order
from hosting.worker import Worker
from provisioning.host import Address
from provisioning.portainer import watch
from tests.hosting.world import NOW, ask, offer, run, tell
from tests.provisioning.portainer.world import FakeDocker, FakeStacks, container, stack

TEXT = "services: {web: {image: 'web:1'}}"
"""What Portainer has deployed."""
Change = Callable[[], object]


class FakeEngine:
    """Says what it was asked; `then` is what happens meanwhile, one after the other, the last for ever."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, Order]] = []
        self.then: list[Change] = [lambda: None]

    def run(self, operation: str, order: Order, tell: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
        self.runs.append((operation, order))
        tell(f"engine: {operation}")
        (self.then.pop(0) if len(self.then) > 1 else self.then[0])()
        return {}

    def fails(self, *errors: BaseException) -> None:
        """Once each; then it works again."""
        self.then = [*(_raising(error) for error in errors), lambda: None]

    @property
    def done(self) -> list[str]:
        return [operation for operation, _ in self.runs]


def _raising(error: BaseException) -> Change:
    def fail() -> None:
        raise error

    return fail


@dataclass
class Place:
    """An environment: its hosts, their Portainer. `away`: it cannot be asked."""

    away: bool = False
    hosts: list[HostOffer] = field(default_factory=lambda: [offer()])

    def portainer(self, host: str) -> tuple[str, int]:
        return f"portainer of {host}", 3

    def address(self, host: str) -> Address:
        return Address(host=f"{host}.test", user="ops", host_key="ssh-ed25519 AAAA")

    def offers(self) -> list[HostOffer]:
        return self.hosts


@dataclass
class Catalogue:
    """One service. `is_kept`: its data is archived at its end."""

    is_kept: bool = True

    def ready_s(self, order: Order) -> float:
        return 0.3

    def has_final_backup(self, order: Order) -> bool:
        return self.is_kept


@dataclass
class Work:
    """All of it."""

    database: Database
    engine: FakeEngine = field(default_factory=FakeEngine)
    stacks: FakeStacks = field(default_factory=lambda: FakeStacks(content=TEXT))
    docker: FakeDocker = field(default_factory=lambda: FakeDocker(looks=[[container()]]))
    places: dict[str, Place] = field(default_factory=lambda: {"lab": Place()})
    catalogue: Catalogue = field(default_factory=Catalogue)
    told: list[str] = field(default_factory=list)
    now: datetime = NOW

    def worker(self, holder: str = "worker") -> Worker:
        return Worker(
            database=self.database,
            engine=self.engine,  # type: ignore[arg-type]
            environment=self.environment,  # type: ignore[arg-type]
            catalogue=self.catalogue,
            site="lab",
            holder=holder,
            clock=lambda: self.now,
        )

    def environment(self, name: str) -> Place:
        place = self.places.get(name)
        if place is None or place.away:
            raise EnvironmentAway(f"environment {name}: its outputs cannot be read")
        return place

    def asked(self, name: str = "shop", **other: Any) -> Instance:
        """One that nobody has made yet, on the host that there is."""
        tell(self.database)
        return ask(self.database, name, **other)

    def running(self, name: str = "shop", **other: Any) -> Instance:
        """One that runs, by its Portainer as well."""
        tell(self.database)
        self.deploy(name)
        return run(self.database, name, **other)

    def wish(self, what: str, name: str = "shop") -> Instance:
        found: Instance = self.database.transact(getattr(wishes, what), name, now=self.now, who="ann")
        return found

    def resize(self, memory_mib: int) -> Instance:
        return self.database.transact(wishes.resize, "shop", size="m", memory_mib=memory_mib, now=self.now, who="ann")

    def settle(self, instance: Instance) -> Instance:
        """As it is afterwards."""
        self.worker().settle(instance.id, self.told.append)
        found = self.row(instance.id)
        assert found is not None
        return found

    def row(self, instance_id: str) -> Instance | None:
        with self.database.read() as session:
            return session.get(Instance, instance_id)

    def deploy(self, name: str = "shop", *, status: int = 1, owner: str = "lab/lab/i-{name}") -> None:
        """Portainer has its stack."""
        self.stacks.found = {**stack(owner=owner.format(name=name)), "Name": f"i-{name}", "Status": status}

    def later(self, time: timedelta) -> None:
        self.now += time

    def put(self, instance: Instance, **values: object) -> None:
        """Behind everybody's back."""
        with self.database.write() as session:
            row = session.get_one(Instance, instance.id)
            for name, value in values.items():
                setattr(row, name, value)

    def ports(self) -> list[Port]:
        with self.database.read() as session:
            return list(session.query(Port).order_by(Port.number))

    def whats(self, name: str = "shop") -> list[str]:
        """What happened, the oldest first."""
        with self.database.read() as session:
            return [event.what for event in reversed(history(session, name))]


@pytest.fixture
def work(database: Database, monkeypatch: pytest.MonkeyPatch) -> Work:
    found = Work(database)
    monkeypatch.setattr(switch, "Stacks", lambda server, number: found.stacks)
    monkeypatch.setattr(switch, "Docker", lambda server, number: found.docker)
    monkeypatch.setattr(watch, "LOOK_S", 0.01)
    return found
