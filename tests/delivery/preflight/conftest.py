"""The lab's site, and its stand-in for the Proxmox API in a thread of this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lab.pve.credentials import load_credentials
from lab.world import World
from provisioning.proxmox import Proxmox
from tests.lab_pve.pve_site import PveSite
from tests.settings.conftest import lab_site as lab_site

Serve = Callable[[World], tuple[Proxmox, PveSite]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves a world, until the end of the test; gives a client of its first token."""
    with ExitStack() as running:

        def start(world: World) -> tuple[Proxmox, PveSite]:
            site = running.enter_context(_in_a_thread(world, tmp_path / "pve"))
            token = next(iter(world.tokens))
            secret = load_credentials(world, tmp_path / "pve")[token]
            assert site._server is not None
            return Proxmox(f"http://127.0.0.1:{site._server.port}", f"{token}={secret}", tries=1), site

        yield start


@contextmanager
def _in_a_thread(world: World, folder: Path) -> Iterator[PveSite]:
    site, loop = PveSite(world, folder, headers={"Authorization": "of a test's own"}), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(site.start(), loop).result(10)
    try:
        yield site
    finally:
        asyncio.run_coroutine_threadsafe(site.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
