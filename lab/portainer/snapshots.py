"""What environments held when they were last looked at; kept in memory, made anew after a restart."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from lab.portainer import durations
from lab.portainer.engine import EngineError, Engines
from lab.portainer.store import Record, Store

DEFAULT_INTERVAL_S = 300.0
DOCKER = 1


class Snapshots:
    """The last snapshot of each environment."""

    def __init__(self, engines: Engines) -> None:
        """None is taken yet."""
        self._engines = engines
        self._taken: dict[int, Record] = {}

    def of(self, endpoint_id: int) -> list[Record]:
        """The snapshot of an environment, as a list of at most one."""
        return [self._taken[endpoint_id]] if endpoint_id in self._taken else []

    async def take(self, endpoint: Record) -> None:
        """Look at an environment. EngineError when its engine does not answer."""
        if endpoint["Type"] == DOCKER:
            raw = await self._raw(endpoint)
            self._taken[endpoint["Id"]] = _counted(raw)

    def forget(self, endpoint_id: int) -> None:
        """Drop the snapshot of an environment that is gone."""
        self._taken.pop(endpoint_id, None)

    async def engine_id(self, endpoint: Record) -> str:
        """Id of the engine, which is part of the names of its volumes; the cluster's id in a swarm."""
        if not self.of(endpoint["Id"]):
            await self.take(endpoint)
        info = self._taken[endpoint["Id"]]["DockerSnapshotRaw"]["Info"]
        cluster = (info.get("Swarm") or {}).get("Cluster") or {}
        return str(cluster.get("ID") or info["ID"])

    async def keep(self, store: Store) -> None:
        """Look at all environments, again and again."""
        while True:
            for endpoint in store.every("endpoints"):
                with suppress(EngineError):
                    await self.take(endpoint)
            interval = store.settings["SnapshotInterval"]
            wait_s = durations.seconds(interval) if interval and durations.valid(interval) else DEFAULT_INTERVAL_S
            await asyncio.sleep(max(wait_s, 1))

    async def _raw(self, endpoint: Record) -> Record:
        paths = {
            "Containers": "/containers/json?all=1",
            "Volumes": "/volumes",
            "Networks": "/networks",
            "Images": "/images/json",
            "Info": "/info",
            "Version": "/version",
        }
        answers = await asyncio.gather(*(self._engines.get(endpoint, path) for path in paths.values()))
        return dict(zip(paths, answers, strict=True))


def _counted(raw: Record) -> Record:
    info, containers = raw["Info"], raw["Containers"]
    stacks = {(container["Labels"] or {}).get("com.docker.compose.project") for container in containers}
    return {
        "Time": int(time.time()),
        "DockerVersion": info["ServerVersion"],
        "Swarm": (info.get("Swarm") or {}).get("LocalNodeState") == "active",
        "TotalCPU": info["NCPU"],
        "TotalMemory": info["MemTotal"],
        "ContainerCount": len(containers),
        "RunningContainerCount": sum(container["State"] == "running" for container in containers),
        "StoppedContainerCount": sum(container["State"] == "exited" for container in containers),
        "HealthyContainerCount": _with_status(containers, "(healthy)"),
        "UnhealthyContainerCount": _with_status(containers, "(unhealthy)"),
        "VolumeCount": len(raw["Volumes"]["Volumes"] or []),
        "ImageCount": len(raw["Images"]),
        "ServiceCount": 0,
        "StackCount": len(stacks - {None}),
        "DockerSnapshotRaw": raw,
        "NodeCount": 0,
        "GpuUseAll": False,
        "GpuUseList": [],
        "IsPodman": False,
    }


def _with_status(containers: list[dict[str, Any]], word: str) -> int:
    return sum(word in container["Status"] for container in containers)
