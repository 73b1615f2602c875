"""Docker Engines behind environments: small JSON calls, and sessions for the proxy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

DEFAULT = "unix:///var/run/docker.sock"
ANSWER_S = 60.0


class EngineError(Exception):
    """The engine refused, or none is there; in the words of Docker's own client."""


@dataclass(frozen=True)
class Address:
    """Where requests for one environment go."""

    url: str

    @property
    def socket(self) -> str | None:
        """Path of a unix socket; None for TCP."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else None

    def target(self, raw_path: str) -> URL:
        """The engine's URL for a path with its query, encoded as it came."""
        base = "http://docker" if self.socket else self.url.replace("tcp://", "http://", 1)
        return URL(base + raw_path, encoded=True)


class Engines:
    """One session an address, opened when it is first needed."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    def session(self, address: Address) -> aiohttp.ClientSession:
        """A session without a time limit: builds, logs and pulls take as long as they take."""
        if address.url not in self._sessions:
            path = address.socket
            connector = aiohttp.UnixConnector(path=path) if path else aiohttp.TCPConnector()
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
            self._sessions[address.url] = aiohttp.ClientSession(
                connector=connector, timeout=timeout, auto_decompress=False
            )
        return self._sessions[address.url]

    async def close(self) -> None:
        """Close all sessions."""
        for session in self._sessions.values():
            await session.close()

    async def get(self, url: str, path: str) -> Any:
        """What the engine answers to a GET. EngineError otherwise."""
        address = Address(url)
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        try:
            async with self.session(address).get(address.target(path), timeout=timeout) as response:
                body = json.loads(await response.read())
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise EngineError(f"Cannot connect to the Docker daemon at {url}. Is the docker daemon running?") from error
        if response.status != 200:
            raise EngineError(f"Error response from daemon: {body.get('message')}")
        return body
