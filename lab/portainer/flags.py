"""Command-line flags: those of the real server's 2.23, and no others."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from lab.portainer import VERSION, durations

TEXTS = (
    "tunnel-addr tunnel-port tlscacert tlscert tlskey sslcert sslkey snapshot-interval admin-password "
    "admin-password-file logo initial-mmap-size max-batch-size max-batch-delay secret-key-name"
).split()
SWITCHES = "edge-compute no-analytics tlsverify tlsskipverify http-disabled http-enabled ssl rollback".split()
BAD_HOST = "Invalid environment protocol: Portainer only supports unix://, npipe:// or tcp://"


class _Parser(argparse.ArgumentParser):
    """Refuses with the real server's exit code."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end."""
        refuse(message)


def refuse(message: str) -> NoReturn:
    """End as the real server does when a flag is wrong."""
    sys.stderr.write(f"portainer: error: {message}, try --help\n")
    raise SystemExit(1)


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The flags. Ends the process when one is unknown or has a value that cannot be."""
    parser = _Parser(prog="portainer", allow_abbrev=False, description="Stand-in for Portainer CE.")
    parser.add_argument("--version", action="version", version=VERSION)
    parser.add_argument("-p", "--bind", default=":9000")
    parser.add_argument("--bind-https", default=":9443")
    parser.add_argument("-a", "--assets", default="./")
    parser.add_argument("-d", "--data", type=Path, default=Path("/data"))
    parser.add_argument("-H", "--host", default="")
    parser.add_argument("-l", "--hide-label", action="append", default=[])
    parser.add_argument("-t", "--templates", default="")
    parser.add_argument("-b", "--base-url", default="/")
    parser.add_argument("--feat", action="append", default=[])
    parser.add_argument("--log-level", choices=("DEBUG", "INFO", "WARN", "ERROR"), default="INFO")
    parser.add_argument("--log-mode", choices=("NOCOLOR", "PRETTY", "JSON"), default="PRETTY")
    for name in TEXTS:
        parser.add_argument(f"--{name}", default="")
    for name in SWITCHES:
        parser.add_argument(f"--{name}", action="store_true")
    flags = parser.parse_args(arguments)
    _check(flags)
    return flags


def _check(flags: argparse.Namespace) -> None:
    host = str(flags.host)
    if host and not host.startswith(("unix://", "tcp://", "npipe://")):
        refuse(BAD_HOST)
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        refuse("Unable to locate Unix socket or named pipe")
    if flags.snapshot_interval and not durations.valid(flags.snapshot_interval):
        refuse("Invalid snapshot interval")
    if flags.admin_password and flags.admin_password_file:
        refuse("Cannot use --admin-password with --admin-password-file")
    if any("=" not in label for label in flags.hide_label):
        refuse("expected KEY=VALUE for --hide-label")
