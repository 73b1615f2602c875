"""Stacks from git that update themselves: jobs by interval, and the redeployment that webhooks start too."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from lab.portainer import durations
from lab.portainer.deployments import DeployError, Deployments
from lab.portainer.git import Git, GitError, Repository
from lab.portainer.store import Missing, Record, Store

SHORTEST_S = 1.0

logger = logging.getLogger(__name__)


class AuthorMissing(Exception):
    """The user who made the stack is gone, so nobody's registries can be used."""


class Polling:
    """Looks for new commits."""

    def __init__(self, store: Store, git: Git, deployments: Deployments) -> None:
        """No job runs yet."""
        self._store = store
        self._git = git
        self._deployments = deployments
        self._numbers = itertools.count(1)
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._loose: set[asyncio.Task[None]] = set()

    def start(self, stack_id: int, interval: str) -> str:
        """Begin to look every so often; the number of the job."""
        job = str(next(self._numbers))
        every_s = max(int(durations.seconds(interval)), SHORTEST_S)
        self._jobs[job] = asyncio.create_task(self._look(stack_id, job, every_s))
        return job

    def stop(self, job: str) -> None:
        """End a job; a redeployment that it has begun goes on."""
        if task := self._jobs.pop(job, None):
            task.cancel()

    def resume(self) -> None:
        """Start all jobs anew after a restart; those of stopped stacks too, as the real server does."""
        for stack in self._store.every("stacks"):
            if (stack["AutoUpdate"] or {}).get("Interval"):
                stack["AutoUpdate"]["JobID"] = self.start(stack["Id"], stack["AutoUpdate"]["Interval"])
                self._store.write("stacks", stack["Id"], stack)

    async def close(self) -> None:
        """End everything."""
        tasks = [*self._jobs.values(), *self._running.values(), *self._loose]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def invoke(self, stack: Record) -> None:
        """What a webhook does: redeploy behind the caller's back if there is a new commit. AuthorMissing."""
        self._author(stack)
        self._spawn(self._logged(stack["Id"]))

    async def _look(self, stack_id: int, job: str, every_s: float) -> None:
        while True:
            now = time.time()
            await asyncio.sleep(int(now) + every_s - now)
            try:
                stack = self._store.read("stacks", stack_id)
                self._store.read("endpoints", stack["EndpointId"])
            except Missing:
                self._jobs.pop(job, None)
                return
            if (stack["AutoUpdate"] or {}).get("Webhook"):
                self._spawn(self._logged(stack_id))
            elif stack_id not in self._running or self._running[stack_id].done():
                self._running[stack_id] = asyncio.create_task(self._logged(stack_id))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._loose.add(task)
        task.add_done_callback(self._loose.discard)

    async def _logged(self, stack_id: int) -> None:
        try:
            await self._redeploy(stack_id)
        except (GitError, DeployError, Missing, AuthorMissing) as error:
            logger.warning("stack %s was not redeployed: %s", stack_id, error)
        except Exception:
            logger.exception("stack %s was not redeployed", stack_id)

    async def _redeploy(self, stack_id: int) -> None:
        stack = self._store.read("stacks", stack_id)
        if stack["GitConfig"] is None:
            return
        endpoint = self._store.read("endpoints", stack["EndpointId"])
        author = self._author(stack)
        repository = repository_of(stack)
        commit = await self._git.latest_commit(repository)
        if commit == stack["GitConfig"]["ConfigHash"]:
            return
        await self._git.clone(repository, Path(stack["ProjectPath"]))
        stack["GitConfig"]["ConfigHash"] = commit
        stack["UpdateDate"] = int(time.time())
        await self._deployments.deploy(stack, endpoint, author, pull=True, recreate=False)
        self._store.read("stacks", stack_id)  # deleted meanwhile: it stays deleted
        self._store.write("stacks", stack_id, stack | {"Status": 1})

    def _author(self, stack: Record) -> Record:
        name = stack["UpdatedBy"] or stack["CreatedBy"]
        for user in self._store.every("users"):
            if user["Username"].lower() == name.lower():
                return user
        raise AuthorMissing(f"stack's {stack['Id']} author {name} is missing")


def repository_of(stack: Record) -> Repository:
    """The repository of a stack, with the credentials that it stores."""
    config = stack["GitConfig"]
    login = config["Authentication"] or {}
    return Repository(
        url=config["URL"],
        reference=config["ReferenceName"],
        user=login.get("Username", ""),
        password=login.get("Password", ""),
        skip_verify=config["TLSSkipVerify"],
    )
