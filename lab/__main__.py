"""`python -m lab up|status|down|purge|images|server|companion|qemu`: a whole Proxmox site on this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from lab import commands, dockerd
from lab.hypervisor import HypervisorError
from lab.images.build import ensure_images
from lab.machine import CommandFailed, ensure_host_tools
from lab.site import Site, load_site
from lab.status import status
from lab.world import WorldError
from setup.report import SetupError, say


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a failure is one sentence on stderr and exit code 1."""
    chosen = _parser().parse_args(arguments)
    try:
        site = load_site(chosen.site, chosen.dir)
        _COMMANDS[chosen.command](site, chosen)
    except (SetupError, WorldError, HypervisorError, CommandFailed) as error:
        say(f"lab: {error}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("command", choices=list(_COMMANDS), metavar="up|status|down|purge|images|server|companion|qemu")
    parser.add_argument(
        "words",
        nargs="*",
        help="with `up`: images to have as well; with `companion`: its name, and show|files|calls|start|stop|reset; "
        "with `qemu`: up|down",
    )
    parser.add_argument(
        "--site", type=Path, help="site file (sites/lab.yaml, or in the folder HYPERCOMPOSE_SITES names)"
    )
    parser.add_argument("--dir", type=Path, help="folder of the lab's state (.lab of the checkout, or LAB_DIR)")
    parser.add_argument("--name", default="srv-existing", help="with `server`: which one")
    parser.add_argument("--docker", action="store_true", help="with `server`: with Docker and a container that runs")
    return parser


def _status(site: Site, _: argparse.Namespace) -> None:
    print(status(site, api_answers=commands.answers(site)))


def _images(_: Site, __: argparse.Namespace) -> None:
    ensure_host_tools()
    client = dockerd.connect()
    for name, tag in ensure_images(client).items():
        print(f"{name}\t{tag}")


def _server(site: Site, chosen: argparse.Namespace) -> None:
    from lab.server import engine, existing  # only here, as below

    commands.up(site)
    client = dockerd.connect()
    server = existing.ensure_server(site, client, chosen.name)
    if chosen.docker:
        engine.ensure_docker(site, client, server)
    print(server.lines())


def _companion(site: Site, chosen: argparse.Namespace) -> None:
    from lab.companion.commands import command  # only here, as below

    command(site, chosen.words)


def _qemu(site: Site, chosen: argparse.Namespace) -> None:
    from lab.qemu.commands import command

    command(site, chosen.words)


def _serve(site: Site, _: argparse.Namespace) -> None:
    from lab.supervisor import serve  # only here: the other commands need no HTTP server, and start quicker without

    serve(site)


_COMMANDS: dict[str, Callable[[Site, argparse.Namespace], None]] = {
    "up": lambda site, chosen: commands.up(site, chosen.words),
    "status": _status,
    "down": lambda site, _: commands.down(site),
    "purge": lambda site, _: commands.purge(site),
    "images": _images,
    "server": _server,
    "companion": _companion,
    "qemu": _qemu,
    "serve": _serve,
}

if __name__ == "__main__":
    sys.exit(main())
