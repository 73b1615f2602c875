"""Fetching a file from a URL into a storage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import aiohttp

from lab.pve.errors import failure

CHUNK = 1 << 20


class Downloads:
    """HTTP as the node would do it; tests put one without a network in its place."""

    async def metadata(self, url: str, *, verify: bool) -> Mapping[str, str | int]:
        """File name, size and type, as `query-url-metadata` answers."""
        async with aiohttp.ClientSession() as session, session.head(url, ssl=verify, allow_redirects=True) as answer:
            if answer.status != 200:
                raise failure(f"invalid server response: '{answer.status} {answer.reason}'")
            return {
                "filename": PurePosixPath(urlsplit(str(answer.url)).path).name,
                "size": int(answer.headers.get("Content-Length", 0)),
                "mimetype": answer.content_type,
            }

    async def fetch(self, url: str, target: Path, *, verify: bool) -> None:
        """Write the file; fails with the server's answer."""
        async with aiohttp.ClientSession() as session, session.get(url, ssl=verify) as answer:
            if answer.status != 200:
                raise failure(f"download failed: {answer.status} {answer.reason}")
            with target.open("wb") as file:
                async for chunk in answer.content.iter_chunked(CHUNK):
                    file.write(chunk)
