"""The provider's resources with a world of plain objects behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from provider.resource import Context
from provider.resources.portainer import stack as module
from provisioning.host import Address, Result
from provisioning.portainer import watch
from tests.provisioning.portainer.world import FakeHosts, FakeRepository, World

PLACE = {"host": "10.0.0.9", "port": 22, "user": "ops", "host_key": "ssh-ed25519 AAAA"}
SERVER = {"url": "https://10.0.0.9:9443", "certificate": "PEM", "apiKey": "ptr_1"}
TEXT = "services: {web: {image: 'web:1'}}"
URN = "urn:pulumi:dev::hypercompose::hypercompose:portainer:Stack::shop"
COMMON: dict[str, Any] = {
    "vm": "1100", "server": SERVER, "environmentId": 3, "connection": PLACE, "name": "shop", "owner": "lab/dev/shop",
    "env": {"LEVEL": "info"}, "timeoutS": 0.1, "state": "as wanted", "run": "started",
}  # fmt: skip
INLINE = {**COMMON, "inline": TEXT}
GIT = {
    **COMMON, "url": "https://git.lab/a.git", "ref": "refs/heads/dev/shop", "path": "compose.yaml", "additional": [],
    "user": "ops", "password": "git-pw", "interval": "5m",
}  # fmt: skip


class LockingHosts(FakeHosts):
    """Notes the locks that are held, and whether every question came under one."""

    def __init__(self, inner: FakeHosts) -> None:
        super().__init__(**vars(inner))
        self.held: list[str] = []
        self.holds = False

    @contextmanager
    def holding(self, address: Address, name: str, patience_s: float) -> Iterator[None]:
        self.held.append(name)
        before, self.holds = self.holds, True
        yield
        self.holds = before

    def ask(self, address: Address, program: str, timeout_s: float) -> Result:
        assert self.holds, "a host is asked without its lock"
        return super().ask(address, program, timeout_s)


class Served:
    """A context whose stacks, containers, host and repository are those of a world."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.repository = World(), FakeRepository()
        self.hosts = LockingHosts(self.world.hosts)
        self.warned: list[str] = []
        monkeypatch.setattr(watch, "LOOK_S", 0.005)
        monkeypatch.setattr(module, "LOOK_S", 0.0)
        monkeypatch.setattr(module, "_stacks", lambda inputs: self.world.stacks)
        monkeypatch.setattr(module, "_docker", lambda inputs: self.world.docker)
        monkeypatch.setattr("provider.resources.portainer.stack_inputs.repository_of", lambda inputs: self.repository)
        self.context = Context(
            proxmox=None,  # type: ignore[arg-type]
            load_ssh=lambda: None,  # type: ignore[arg-type,return-value]
            warn=lambda urn, text: self.warned.append(text),
        )
        self.context._hosts, self.context._ssh = self.hosts, object()  # type: ignore[assignment]
