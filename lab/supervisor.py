"""The one process of a lab that stays: the Proxmox API, the site's services, and an eye on the guests."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import signal
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager

from aiohttp import web

from lab.companion import place, power
from lab.dockerd import connect
from lab.guests import Guests
from lab.guests.watch import Watch
from lab.images.build import ensure_images
from lab.network import Network
from lab.pve.app import make_app
from lab.resolver import Resolver
from lab.services import packages
from lab.services.running import open_packages, programs
from lab.site import Site
from setup.report import SetupError

logger = logging.getLogger(__name__)


def serve(site: Site) -> None:
    """Bring the site to where it was, answer until SIGTERM. Guests outlive this process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with _only_one(site):
        client = connect()
        network = Network(site.lab, site.world.bridges)
        network.up(site.services.ports.values())
        companions = {companion.name: companion.address for companion in place.places(site)}
        resolver = Resolver(site.lab, site.world.bridges, site.domain, {**site.services.names, **companions})
        guests = Guests(site.lab, client, ensure_images(client), network)
        watch = Watch(site.lab, client, guests, resolver)
        with ExitStack() as running:
            running.callback(resolver.stop)
            resolver.start()
            running.enter_context(programs(site, client))
            power.turn_on(site, client)
            running.callback(watch.stop)
            started = guests.restore()
            logger.info("guests started again: %s", started or "none")
            watch.start()
            asyncio.run(_answer(site, guests))


async def _answer(site: Site, guests: Guests) -> None:
    """Serve the API until somebody ends this process."""
    over = asyncio.Event()
    for reason in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(reason, over.set)
    async with AsyncExitStack() as stack:
        if port := site.services.ports.get("packages"):
            await stack.enter_async_context(
                _served(packages.make_app(open_packages(site)), site.services.address, port)
            )
        app = make_app(site.world, guests, site.api_folder)
        await stack.enter_async_context(_served(app, site.world.host, site.world.port, _tls(site)))
        logger.info("answering at %s", site.endpoint)
        await over.wait()


@asynccontextmanager
async def _served(app: web.Application, host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Serve an application for the length of a block."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls, shutdown_timeout=2).start()
        yield
    finally:
        await runner.cleanup()


def _tls(site: Site) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(site.directory / "tls" / "server.crt", site.directory / "tls" / "server.key")
    return context


@contextmanager
def _only_one(site: Site) -> Iterator[None]:
    """The kernel lets go of the lock however this process ends."""
    with (site.directory / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"{site.directory}: this lab has a supervisor already.") from None
        yield
