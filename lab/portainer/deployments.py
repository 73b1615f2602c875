"""Brings stacks up and down. One deployment at a time; when `up` fails, what ran before is taken down."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path, PurePosixPath

from lab.portainer.compose import Compose, ComposeFailed
from lab.portainer.engine import Address
from lab.portainer.store import Record, Store

ENV_FILE = "stack.env"
ADMINISTRATOR = 1

logger = logging.getLogger(__name__)


class DeployError(Exception):
    """A deployment failed; the text is what the real server says."""


class Deployments:
    """Compose for stacks."""

    def __init__(self, store: Store, compose: Compose) -> None:
        """`store` has the registries."""
        self._store = store
        self._compose = compose
        self._lock = asyncio.Lock()

    async def deploy(self, stack: Record, endpoint: Record, user: Record, *, pull: bool, recreate: bool) -> None:
        """Pull when asked, then `up`. DeployError; a failed `up` has run `down`, a failed pull has changed nothing."""
        async with self._lock:
            if pull:
                await self._pull(stack, endpoint, user)
            try:
                await self.up(stack, endpoint, user, recreate=recreate)
            except DeployError:
                with suppress(DeployError):
                    await self.down(stack, endpoint)
                raise

    async def up(self, stack: Record, endpoint: Record, user: Record, *, recreate: bool = False) -> None:
        """Create and start what is missing or differs. DeployError."""
        extra = ["--force-recreate"] if recreate else []
        arguments = [*_where(endpoint), *_files(stack), *_project(stack), "up", "-d", *extra]
        await self._run(arguments, stack, endpoint, user, "failed to deploy a stack")

    async def down(self, stack: Record, endpoint: Record) -> None:
        """Remove containers and networks; volumes stay. DeployError."""
        arguments = [*_where(endpoint), "--project-name", stack["Name"], "down", "--remove-orphans"]
        try:
            await self._compose.run(arguments, folder=None, tls=Address.of(endpoint).tls)
        except ComposeFailed as error:
            raise DeployError(f"failed to remove a stack: {error}") from error

    async def _pull(self, stack: Record, endpoint: Record, user: Record) -> None:
        arguments = [*_where(endpoint), *_files(stack), *_project(stack), "pull"]
        await self._run(arguments, stack, endpoint, user, "failed to pull images of the stack")

    async def _run(self, arguments: list[str], stack: Record, endpoint: Record, user: Record, failed: str) -> None:
        write_env_file(stack)
        logger.info("compose %s", " ".join(arguments))
        registries = accessible(self._store, user, endpoint["Id"])
        try:
            folder, tls = Path(stack["ProjectPath"]), Address.of(endpoint).tls
            await self._compose.run(arguments, folder=folder, registries=registries, tls=tls)
        except ComposeFailed as error:
            raise DeployError(f"{failed}: {error}") from error
        except FileNotFoundError as error:
            raise DeployError(f"{failed}: chdir {stack['ProjectPath']}: no such file or directory") from error


def accessible(store: Store, user: Record, endpoint_id: int) -> list[Record]:
    """The registries that a user may use in an environment."""
    registries = store.every("registries")
    if user["Role"] == ADMINISTRATOR:
        return registries
    return [registry for registry in registries if _may_use(registry, user, endpoint_id)]


def write_env_file(stack: Record) -> None:
    """`stack.env`: the repository's `.env`, then `NAME=value` lines without any quoting, as the real server writes."""
    if not stack["Env"]:
        return
    folder = Path(stack["ProjectPath"])
    default = folder / PurePosixPath(stack["EntryPoint"]).parent / ".env"
    before = f"{default.read_text()}\n" if default.is_file() else ""
    lines = "".join(f"{pair['name']}={pair['value']}\n" for pair in stack["Env"])
    with suppress(FileNotFoundError):
        file = folder / ENV_FILE
        file.touch(mode=0o600)
        file.write_text(before + lines)


def file_path(stack: Record, name: str) -> Path:
    """Where one file of a stack is; never outside the stack's folder, whatever the name says."""
    parts = [part for part in PurePosixPath("/", name).parts[1:] if part != ".."]
    return Path(stack["ProjectPath"]).joinpath(*parts)


def _where(endpoint: Record) -> list[str]:
    """Nothing for a socket: the real server lets Compose use its default then, whichever socket was named."""
    return [] if endpoint["URL"].startswith("unix://") else ["--host", endpoint["URL"]]


def _files(stack: Record) -> list[str]:
    names = [stack["EntryPoint"], *(stack["AdditionalFiles"] or [])]
    return [word for name in names for word in ("-f", str(file_path(stack, name)))]


def _project(stack: Record) -> list[str]:
    return ["--project-name", stack["Name"], *(["--env-file", ENV_FILE] if stack["Env"] else [])]


def _may_use(registry: Record, user: Record, endpoint_id: int) -> bool:
    policies = (registry["RegistryAccesses"] or {}).get(str(endpoint_id)) or {}
    return str(user["Id"]) in (policies.get("UserAccessPolicies") or {})
