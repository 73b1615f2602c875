"""A ticker whose clocks and hosts tests move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from hosting import ticker as module
from hosting.deadlines import Policy
from hosting.hosts import HostOffer
from hosting.model import Instance
from hosting.ticker import Ticker
from hosting.vocabulary import State
from provisioning.host import Address, HostUnreachable, Result
from tests.hosting.working import Work
from tests.hosting.working import work as work
from tests.hosting.world import DAY, NOW, offer

POLICY = Policy(warn_before=3 * DAY, grace=7 * DAY, backup_before=DAY)
LISTENS = 'L 0.0.0.0:{port} users:(("{who}",pid=7,fd=3))\n'


@dataclass
class Machines:
    """Hosts as SSH reaches them: who listens, whether a backup can be made."""

    listens: dict[str, str] = field(default_factory=dict)
    """By host's address."""
    away: set[str] = field(default_factory=set)
    backup_fails: str = ""
    backups: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        if address.host in self.away:
            raise HostUnreachable(f"{address.host}: no answer")
        if "docker volume ls" not in program:
            self.asked.append(address.host)
            return Result(0, self.listens.get(address.host, ""), "")
        self.meanwhile()
        if self.backup_fails:
            return Result(1, "", self.backup_fails)
        self.backups.append(next(line for line in program.splitlines() if line.startswith("project=")))
        return Result(0, "/var/lib/hypercompose/backups/i-shop/x\n", "")


@dataclass
class Ticking:
    """A worker's world with a ticker in it. The monotonic clock goes with the other, but for what a test adds."""

    work: Work
    machines: Machines = field(default_factory=Machines)
    environments: tuple[str, ...] = ("lab",)
    jumped: timedelta = timedelta(0)
    cap: int = 10
    policy: Policy = POLICY

    def __post_init__(self) -> None:
        self.ticker = self.restarted()

    def restarted(self) -> Ticker:
        """As after its process ended."""
        self.ticker = Ticker(
            worker=self.work.worker("ticker"),
            ssh=self.machines,  # type: ignore[arg-type]
            environments=self.environments,
            policy=self.policy,
            tell=self.work.told.append,
            cap=self.cap,
            monotonic=lambda: (self.work.now - self.jumped - NOW).total_seconds() + 1e6,
        )
        return self.ticker

    def at(self, moment: datetime) -> list[str]:
        """Tick then; what is told."""
        self.work.now = moment
        self.work.told.clear()
        self.ticker.tick()
        return list(self.work.told)

    def running(self, *names: str, **other: Any) -> list[Instance]:
        return [self.work.running(name, **other) for name in names]

    def row(self, instance: Instance) -> Instance:
        found = self.work.row(instance.id)
        assert found is not None
        return found

    def states(self, *instances: Instance) -> list[State | None]:
        return [found.state if (found := self.work.row(each.id)) else None for each in instances]


def hosts(*names: str) -> list[HostOffer]:
    return [offer(f"lab/{name}") for name in names]


@pytest.fixture
def ticking(work: Work, monkeypatch: pytest.MonkeyPatch) -> Ticking:
    monkeypatch.setattr(module, "AT_ONCE", 1)  # in the order of the rows
    return Ticking(work)
