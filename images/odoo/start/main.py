"""Make the instance ready, then become Odoo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import NoReturn

from . import configuration, database
from .contract import settings
from .refusal import Refused

COMMAND = ("/usr/bin/odoo", "-c", "/etc/odoo/odoo.conf")
KEPT = ("PATH", "LANG", "PGPASSFILE", "TZ")
"""Of the environment, which may hold passwords, Odoo gets no more than these."""


def main(arguments: list[str]) -> NoReturn:
    """Arguments are Odoo's own, with or without its name before them."""
    # Without a handler, the kernel ignores these signals for the first process of a container.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(143))
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment["HOME"] = str(database.DATA)
    os.umask(0o077)
    try:
        _prepare(environment)
    except Refused as refused:
        sys.exit(f"odoo: {refused}")
    os.execve(COMMAND[0], command(arguments), environment)  # noqa: S606 - no shell is wanted


def command(arguments: list[str]) -> list[str]:
    """Odoo's command line: a command of its own, such as `shell`, stands before its options."""
    more = arguments[1:] if arguments[:1] == ["odoo"] else arguments
    word = more[:1] if more and not more[0].startswith("-") else []
    return [COMMAND[0], *word, *COMMAND[1:], *more[len(word) :]]


def _prepare(environment: dict[str, str]) -> None:
    start, wanted = time.monotonic(), settings(os.environ)
    configuration.write(wanted)
    if language := database.prepare(wanted):
        _load(language, environment)
        database.language_loaded(wanted, language)
    print(f"odoo: ready to start after {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)


def _load(language: str, environment: dict[str, str]) -> None:
    options = [f"--load-language={language}", "--stop-after-init", "--no-http", "--workers=0", "--log-level=warn"]
    if subprocess.run([*COMMAND, *options], env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
        raise Refused(f"ODOO_LANGUAGE: {language} could not be loaded; the lines above say why")
