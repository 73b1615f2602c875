"""Odoo's configuration and the database's password, in files that only Odoo's user reads, in memory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from .contract import Settings
from .refusal import Refused

ROOM = Path("/run/odoo")
BASE = Path("/usr/local/lib/odoo/odoo.conf")


def write(settings: Settings, room: Path = ROOM, base: Path = BASE) -> None:
    """Write `odoo.conf` and `pgpass`. Raises Refused where there is no room for them."""
    _write(room / "odoo.conf", f"{base.read_text()}\n{own_part(settings)}")
    _write(room / "pgpass", passfile(settings))


def own_part(settings: Settings) -> str:
    """The lines of this instance. Nobody needs the master password of a closed page, so nobody is told it."""
    options = {
        "db_host": settings.host,
        "db_port": settings.port,
        "db_user": settings.user,
        "db_name": settings.database,
        "dbfilter": f"^{settings.database}$",
        "admin_passwd": secrets.token_hex(32),
        "workers": settings.workers,
        "proxy_mode": settings.proxy,
        "log_level": settings.log_level,
    }
    return "".join(f"{name} = {value}\n" for name, value in options.items())


def passfile(settings: Settings) -> str:
    """The password as libpq reads it: a configuration file would lose spaces, and take `False` for no password."""
    escaped = settings.password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:*:{escaped}\n"


def _write(file: Path, text: str) -> None:
    try:
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(text)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Refused(f"{file}: cannot be written ({why}), expected a tmpfs at {file.parent}; mount one") from None
