"""A running API for tests: every call goes over HTTP, and every answer is checked against the official schema."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from lab.pve.app import CLUSTER, make_app
from lab.pve.cluster import Cluster
from lab.pve.credentials import load_credentials
from lab.pve.routing import find
from lab.world import World
from tests.lab_pve import official
from tests.lab_pve.fake_hypervisor import FakeHypervisor
from tests.lab_pve.worlds import ROOT_TOKEN

TASK_TIMEOUT_S = 5.0
PURGE = {"purge": 1, "destroy-unreferenced-disks": 1}
Test = TypeVar("Test", bound=Callable[..., Any])


def covers(*routes: str) -> Callable[[Test], Test]:
    """Claim routes, `GET /version`, for a test; it must call each of them."""

    def mark(test: Test) -> Test:
        test.covered_routes = routes  # type: ignore[attr-defined]
        return test

    return mark


def task_path(upid: str) -> str:
    """The path of a worker, encoded as a client does it."""
    return f"/nodes/{upid.split(':')[1]}/tasks/{quote(upid, safe=':')}"


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    body: Mapping[str, Any]

    @property
    def data(self) -> Any:
        assert self.status == 200, f"{self.status} {self.reason} {self.body}"
        return self.body["data"]


@dataclass
class PveSite:
    world: World
    directory: Path
    hypervisor: FakeHypervisor = field(default_factory=FakeHypervisor)
    called: set[str] = field(default_factory=set)
    headers: dict[str, str] = field(default_factory=dict)
    _server: TestServer | None = None
    _client: TestClient[Any, Any] | None = None
    """Unlike a plain session it does not repeat a call whose connection was dropped."""

    @property
    def cluster(self) -> Cluster:
        assert self._server is not None
        return self._server.app[CLUSTER]

    async def start(self) -> None:
        self._server = TestServer(make_app(self.world, self.hypervisor, self.directory))
        await self._server.start_server()
        self._client = TestClient(self._server)
        self.headers = self.headers or self.token(ROOT_TOKEN)

    async def stop(self) -> None:
        assert self._server is not None and self._client is not None
        await self._client.close()
        await self._server.close()

    def token(self, name: str) -> dict[str, str]:
        return {"Authorization": f"PVEAPIToken={name}={load_credentials(self.world, self.directory)[name]}"}

    async def call(self, verb: str, path: str, params: Mapping[str, Any] | None = None, **extra: Any) -> Answer:
        """A call by its path after /api2/json, percent-encoded by the caller."""
        given = {name: str(value) for name, value in (params or {}).items()}
        sent = {"params": given} if verb in ("GET", "DELETE") else {"data": given}
        answer = await self.raw(verb, f"/api2/json{path}", **({"headers": self.headers} | sent | extra))
        self._check(verb, path, given, answer)
        return answer

    async def raw(self, verb: str, path: str, **options: Any) -> Answer:
        assert self._server is not None and self._client is not None
        url = URL(f"http://127.0.0.1:{self._server.port}{path}", encoded=True)
        async with self._client.session.request(verb, url, **options) as answer:
            return Answer(answer.status, answer.reason or "", await answer.json(content_type=None))

    def _check(self, verb: str, path: str, params: Mapping[str, str], answer: Answer) -> None:
        found = find(verb, path)
        if found is None:
            return
        route = found[0]
        self.called.add(f"{verb} {route.pattern}")
        if answer.status == 200:
            problems = official.deviations(verb, route.pattern, params, answer.body["data"])
            assert not problems, f"{verb} {path}: {problems}"

    async def get(self, path: str, **params: Any) -> Any:
        return (await self.call("GET", path, params)).data

    async def do(self, verb: str, path: str, **params: Any) -> Any:
        """A write that must succeed."""
        return (await self.call(verb, path, params)).data

    async def work(self, verb: str, path: str, **params: Any) -> str:
        """A write that starts a worker; answers its exit status."""
        upid = await self.do(verb, path, **params)
        return await self.ended(upid)

    async def ended(self, upid: str) -> str:
        async with asyncio.timeout(TASK_TIMEOUT_S):
            while True:
                task = await self.get(f"{task_path(upid)}/status")
                if task["status"] == "stopped":
                    return str(task["exitstatus"])
                await asyncio.sleep(0.005)

    async def done(self, verb: str, path: str, **params: Any) -> None:
        """A write whose worker must succeed."""
        exitstatus = await self.work(verb, path, **params)
        assert exitstatus == "OK", exitstatus

    async def clone(self, vmid: int, **params: Any) -> str:
        """A clone of the template; answers its path."""
        given = {"newid": vmid, "name": f"vm-{vmid}", "full": 1} | params
        await self.done("POST", "/nodes/pve1/qemu/9000/clone", **given)
        return f"/nodes/pve1/qemu/{vmid}"

    async def started(self, vmid: int, **config: Any) -> str:
        """A running clone; answers its path."""
        vm = await self.clone(vmid)
        if config:
            await self.do("PUT", f"{vm}/config", **config)
        await self.done("POST", f"{vm}/status/start")
        return vm
