"""A server of its own on a free port of loopback, for as long as a block lasts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from lab.bitbucket.app import make_app
from lab.bitbucket.store import Store


@contextmanager
def serving(store: Store) -> Iterator[str]:
    """Address of the API, with what `store` holds; the block may look into it and change it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = web.AppRunner(make_app(store), access_log=None, shutdown_timeout=0.1)
    port = asyncio.run_coroutine_threadsafe(_start(runner), loop).result(10)
    try:
        yield f"http://127.0.0.1:{port}/2.0"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _start(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return int(runner.addresses[0][1])
