"""One running server: what it stores, and what works for it."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from lab.portainer import defaults
from lab.portainer.compose import Compose
from lab.portainer.deployments import Deployments
from lab.portainer.engine import Engines
from lab.portainer.git import Git
from lab.portainer.limiter import Limiter
from lab.portainer.polling import Polling
from lab.portainer.snapshots import Snapshots
from lab.portainer.store import Record, Store
from lab.portainer.tokens import Tokens

ADMIN_TIMEOUT_S = float(os.environ.get("HYPERCOMPOSE_LAB_ADMIN_TIMEOUT_S") or 300)
ADMINISTRATOR = 1


class Instance:
    """Everything the calls share."""

    def __init__(self, data: Path, first_endpoint: str = "") -> None:
        """`data` is the folder that survives restarts; `first_endpoint` the URL that `-H` gave."""
        self.first_endpoint = first_endpoint
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.data = data.resolve()
        self.store = Store(self.data / "portainer.json", defaults.settings())
        self.tokens = Tokens()
        self.limiter = Limiter()
        self.engines = Engines()
        self.snapshots = Snapshots(self.engines)
        self.git = Git(self.data / "bin")
        self.deployments = Deployments(self.store, Compose(self.data))
        self.polling = Polling(self.store, self.git, self.deployments)
        self._started = time.monotonic()
        self._late = False
        if not self.store.every("endpoint_groups"):
            self._add_first_group()

    @property
    def administrators(self) -> list[Record]:
        """Users who may do everything."""
        return [user for user in self.store.every("users") if user["Role"] == ADMINISTRATOR]

    @property
    def locked(self) -> bool:
        """Whether nobody made an administrator in the first five minutes; only a restart ends it."""
        overdue = time.monotonic() - self._started > ADMIN_TIMEOUT_S
        self._late = self._late or (overdue and not self.administrators)
        return self._late

    def add_user(self, name: str, password_hash: str, role: int) -> Record:
        """A new user."""
        number = self.store.next_id("users")
        user = defaults.user(number, name, password_hash, role)
        self.store.write("users", number, user)
        return user

    def user_named(self, name: str) -> Record | None:
        """The user of that name, in any case."""
        found = (user for user in self.store.every("users") if user["Username"].lower() == name.lower())
        return next(found, None)

    def project_path(self, stack_id: int) -> Path:
        """Folder of a stack's files."""
        return self.data / "compose" / str(stack_id)

    async def start(self) -> None:
        """Take up polling where the process before left it, and look at the environments."""
        self.polling.resume()
        self._background = asyncio.create_task(self.snapshots.keep(self.store))

    async def stop(self) -> None:
        """End what runs in the background."""
        self._background.cancel()
        await self.polling.close()
        await self.engines.close()

    def _add_first_group(self) -> None:
        number = self.store.next_id("endpoint_groups")
        group = defaults.group(number, "Unassigned", "Unassigned environments", [])
        self.store.write("endpoint_groups", number, group | {"Labels": []})
