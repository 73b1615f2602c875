"""The package server's answers to dnf and apt."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector
from aiohttp.test_utils import TestServer

from lab.services.packages import make_app

CONTENT = bytes(range(256)) * 4096


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[str]:
    folder = tmp_path / "served"
    (folder / "pool").mkdir(parents=True)
    (folder / "pool" / "a.deb").write_bytes(CONTENT)
    (folder / "Packages").write_bytes(b"Package: a\n")
    (folder / "Packages.gz").write_bytes(gzip.compress(b"Package: a\n"))
    (tmp_path / "secret").write_text("not served")
    running = TestServer(make_app(folder))
    await running.start_server()
    yield str(running.make_url("")).rstrip("/")
    await running.close()


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    async with ClientSession(auto_decompress=False, connector=TCPConnector(limit=0), trust_env=False) as session:
        yield session


async def test_a_file_comes_whole_or_in_ranges(server: str, client: ClientSession) -> None:
    async with client.get(f"{server}/pool/a.deb") as whole:
        assert (whole.status, await whole.read()) == (200, CONTENT)
    async with client.get(f"{server}/pool/a.deb", headers={"Range": "bytes=1000-"}) as rest:
        assert (rest.status, await rest.read()) == (206, CONTENT[1000:])
        assert rest.headers["Content-Range"] == f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"


async def test_what_has_not_changed_is_not_sent_again(server: str, client: ClientSession) -> None:
    async with client.get(f"{server}/Packages") as first:
        since = first.headers["Last-Modified"]
    async with client.get(f"{server}/Packages", headers={"If-Modified-Since": since}) as again:
        assert again.status == 304


async def test_a_packed_index_is_a_file_like_any_other(server: str, client: ClientSession) -> None:
    async with client.get(f"{server}/Packages.gz") as packed:
        assert gzip.decompress(await packed.read()) == b"Package: a\n"
        assert "Content-Encoding" not in packed.headers


async def test_many_download_at_once(server: str, client: ClientSession) -> None:
    async def size() -> int:
        async with client.get(f"{server}/pool/a.deb") as answer:
            return len(await answer.read())

    assert await asyncio.gather(*(size() for _ in range(60))) == [len(CONTENT)] * 60


@pytest.mark.parametrize("path", ["/none", "/../secret", "/%2e%2e/secret", "/pool/..%2f..%2f..%2fsecret"])
async def test_nothing_else_is_served(server: str, client: ClientSession, path: str) -> None:
    async with client.get(server + path) as answer:
        assert answer.status in (403, 404)
