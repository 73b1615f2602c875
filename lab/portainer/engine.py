"""Docker Engines behind environments: small JSON calls, and sessions for the proxy."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from pathlib import Path
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
    tls: str = ""
    """Folder with `ca.pem`, `cert.pem` and `key.pem`; empty without TLS."""

    @classmethod
    def of(cls, endpoint: dict[str, Any]) -> Address:
        """An environment's."""
        config = endpoint["TLSConfig"]
        return cls(endpoint["URL"], str(Path(config["TLSCACert"]).parent) if config.get("TLSCACert") else "")

    @property
    def socket(self) -> str | None:
        """Path of a unix socket; None for TCP."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else None

    def context(self) -> ssl.SSLContext | bool:
        """Its authority and no other, with the client's certificate."""
        if not self.tls:
            return True
        context = ssl.create_default_context(cafile=f"{self.tls}/ca.pem")
        context.load_cert_chain(f"{self.tls}/cert.pem", f"{self.tls}/key.pem")
        return context

    def target(self, raw_path: str) -> URL:
        """The engine's URL for a path with its query, encoded as it came."""
        base = "http://docker" if self.socket else self.url.replace("tcp://", "https://" if self.tls else "http://", 1)
        return URL(base + raw_path, encoded=True)


class Engines:
    """One session an address, opened when it is first needed."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._sessions: dict[Address, aiohttp.ClientSession] = {}

    def session(self, address: Address) -> aiohttp.ClientSession:
        """A session without a time limit: builds, logs and pulls take as long as they take."""
        if address not in self._sessions:
            path = address.socket
            connector = aiohttp.UnixConnector(path=path) if path else aiohttp.TCPConnector(ssl=address.context())
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
            self._sessions[address] = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
        return self._sessions[address]

    async def forget(self, address: Address) -> None:
        """Its files have changed: the next call reads them anew."""
        if session := self._sessions.pop(address, None):
            await session.close()

    async def close(self) -> None:
        """Close all sessions."""
        for session in self._sessions.values():
            await session.close()

    async def get(self, endpoint: dict[str, Any], path: str) -> Any:
        """What an environment's engine answers to a GET. EngineError otherwise."""
        address = Address.of(endpoint)
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        try:
            async with self.session(address).get(address.target(path), timeout=timeout) as response:
                body = json.loads(await response.read())
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise EngineError(
                f"Cannot connect to the Docker daemon at {address.url}. Is the docker daemon running?"
            ) from error
        if response.status != 200:
            raise EngineError(f"Error response from daemon: {body.get('message')}")
        return body
