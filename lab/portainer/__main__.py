"""Runs the server in the foreground until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from lab.portainer import certificate, passwords
from lab.portainer.app import make_app
from lab.portainer.endpoints import add_first
from lab.portainer.flags import parsed
from lab.portainer.instance import ADMINISTRATOR, Instance
from lab.portainer.store import TooNew

LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING, "ERROR": logging.ERROR}
STOP_S = 2.0

logger = logging.getLogger("portainer")


def main() -> int:
    """Exit code of the process."""
    flags = parsed(sys.argv[1:])
    logging.basicConfig(level=LEVELS[flags.log_level], format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(_serve(flags))
    except TooNew as error:
        logger.critical("failed to start: %s", error)
        return 1
    return 0


async def _serve(flags: argparse.Namespace) -> None:
    server = Instance(flags.data, flags.host)
    _apply(server, flags)
    await _make_administrator(server, flags)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    runner = web.AppRunner(make_app(server, flags.base_url), access_log=None, shutdown_timeout=STOP_S)
    await runner.setup()
    await _listen(runner, flags, server.data / "certs")
    await ended.wait()
    await runner.cleanup()


async def _listen(runner: web.AppRunner, flags: argparse.Namespace, certificates: Path) -> None:
    """HTTPS always, HTTP unless it was switched off."""
    if not flags.http_disabled:
        host, port = _address(flags.bind)
        await web.TCPSite(runner, host, port).start()
        logger.info("starting HTTP server on %s", flags.bind)
    context = certificate.context(flags.sslcert, flags.sslkey, certificates)
    host, port = _address(flags.bind_https)
    await web.TCPSite(runner, host, port, ssl_context=context).start()
    logger.info("starting HTTPS server on %s", flags.bind_https)


def _apply(server: Instance, flags: argparse.Namespace) -> None:
    """Flags that are settings, too."""
    given = {"LogoURL": flags.logo, "TemplatesURL": flags.templates, "SnapshotInterval": flags.snapshot_interval}
    changes: dict[str, object] = {name: value for name, value in given.items() if value}
    if flags.hide_label:
        pairs = (label.partition("=") for label in flags.hide_label)
        changes["BlackListedLabels"] = [{"name": name, "value": value} for name, _, value in pairs]
    if flags.edge_compute:
        changes["EnableEdgeComputeFeatures"] = True
    server.store.settings = server.store.settings | changes


async def _make_administrator(server: Instance, flags: argparse.Namespace) -> None:
    """The administrator `admin`, of any length of password, unless there is one."""
    hashed = str(flags.admin_password)
    if flags.admin_password_file:
        content = Path(flags.admin_password_file).read_text()
        hashed = passwords.hash_now(content.removesuffix("\n"))
    if hashed and not server.administrators:
        server.add_user("admin", hashed, ADMINISTRATOR)
    if server.administrators:
        await add_first(server)


def _address(text: str) -> tuple[str | None, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]") or None, int(port)


if __name__ == "__main__":
    sys.exit(main())
