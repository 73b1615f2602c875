"""Everything that the commands of hosting work with, put together for one environment."""

from __future__ import annotations

import getpass
import os
import socket
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hosting.database import Database, open_database
from hosting.deadlines import Policy
from hosting.engine import Engine
from hosting.environment import Environment, read_environment
from hosting.order import Order
from hosting.plan import ready_s
from hosting.products import product_named
from hosting.ticker import Ticker
from hosting.worker import Worker
from provisioning.hosts import Hosts
from settings import Site, load_site

if TYPE_CHECKING:
    from provisioning.ssh import Ssh

DATABASE_VARIABLE = "HYPERCOMPOSE_DATABASE"
FILE = "hosting.db"
FRESH_S = 10.0
"""How long what an environment told is believed: many instances may stop or start at once."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """`folder`: what this machine keeps for the site. `environments`: whose hosts are meant."""

    site: Site
    folder: Path
    environments: tuple[str, ...]
    _told: dict[str, tuple[float, Environment]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def database(self) -> Database:
        """Migrated to this program's schema. DatabaseRefused, DatabaseAway."""
        url = os.environ.get(DATABASE_VARIABLE) or self.site.hosting.database or f"sqlite:///{self.folder / FILE}"
        database = open_database(url)
        database.migrate()
        return database

    @cached_property
    def ssh(self) -> Ssh:
        """The pool of connections. Most commands need none, and its library takes a while to load."""
        from provisioning.keys import key_loader
        from provisioning.ssh import Ssh

        return Ssh(key_loader(None))

    @cached_property
    def worker(self) -> Worker:
        """Who brings instances on."""
        return Worker(
            database=self.database,
            engine=Engine(folder=self.folder / "instances"),
            environment=self._environment,
            catalogue=_Catalogue(),
            site=self.site.id,
            holder=f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}",
        )

    @cached_property
    def ticker(self) -> Ticker:
        """Who looks at the clock."""
        rules = self.site.hosting
        policy = Policy(
            warn_before=timedelta(hours=rules.warn_hours),
            grace=timedelta(days=rules.grace_days),
            backup_before=timedelta(hours=rules.backup_hours),
            needs_backup=rules.final_backup,
        )
        return Ticker(
            worker=self.worker,
            ssh=Hosts(self.ssh),
            environments=self.environments,
            policy=policy,
            cap=rules.stops_per_tick,
        )

    def close(self) -> None:
        """Give connections back."""
        for name in ("ssh", "database"):
            if name in self.__dict__:
                getattr(self, name).close()

    def _environment(self, name: str) -> Environment:
        """As it told a moment ago: another run may change it, and asking takes a second or two."""
        found = self._told.get(name)
        if found is None or time.monotonic() - found[0] > FRESH_S:
            found = self._told[name] = (time.monotonic(), read_environment(name))
        return found[1]


def open_desk(site: str, folder: Path, *environments: str) -> Desk:
    """For a site and its environments. SettingsError."""
    return Desk(site=load_site(site), folder=folder, environments=environments)


class _Catalogue:
    """Products as compose/ describes them."""

    def ready_s(self, order: Order) -> float:
        """Until all is well."""
        return ready_s(order)

    def has_final_backup(self, order: Order) -> bool:
        """As its product says."""
        return product_named(order.product).hosting.final_backup != "none"
