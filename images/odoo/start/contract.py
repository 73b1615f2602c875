"""The environment as settings. Two ways to name the database: that of Odoo's own image, and that of PostgreSQL's.

HOST PORT USER PASSWORD(_FILE), or DB_HOST DB_PORT POSTGRES_USER POSTGRES_PASSWORD(_FILE) POSTGRES_DB.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .refusal import Refused
from .secret import secret

NAME = r"[A-Za-z_][A-Za-z0-9_-]{0,62}"
LANGUAGES = ("en_US", "de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL")
LEVELS = ("debug", "info", "warn", "error")
SYSTEM = ("postgres", "template0", "template1")
MAX_WORKERS = 16


@dataclass(frozen=True)
class Settings:
    """What an instance is told."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    admin_login: str
    admin_password: str | None = field(repr=False)
    """Of the first start; None: not told."""
    language: str
    workers: int
    proxy: bool
    log_level: str


def settings(environ: Mapping[str, str]) -> Settings:
    """Raises Refused for the first thing that cannot be used."""
    password = secret(environ, "POSTGRES_PASSWORD", "PASSWORD")
    if password is None:
        raise Refused(
            "POSTGRES_PASSWORD_FILE or PASSWORD_FILE: missing, expected the file with the database's password"
        )
    return Settings(
        host=_text(environ, r"[A-Za-z0-9]([A-Za-z0-9._-]{0,253})", "a host's name", "DB_HOST", "HOST") or "db",
        port=_number(environ, 1, 65535, 5432, "DB_PORT", "PORT"),
        user=_text(environ, NAME, "a name of up to 63 letters, digits, _ and -", "POSTGRES_USER", "USER") or "odoo",
        password=password,
        database=_database(environ),
        admin_login=_text(environ, r"[^\s:\"'\\]{1,64}", "a login without spaces and quotes", "ODOO_ADMIN_LOGIN")
        or "admin",
        admin_password=secret(environ, "ODOO_ADMIN_PASSWORD"),
        language=_choice(environ, LANGUAGES, "en_US", "ODOO_LANGUAGE"),
        workers=_number(environ, 1, MAX_WORKERS, 2, "ODOO_WORKERS"),
        proxy=_choice(environ, ("true", "false"), "false", "ODOO_PROXY") == "true",
        log_level=_choice(environ, LEVELS, "info", "ODOO_LOG_LEVEL"),
    )


def _database(environ: Mapping[str, str]) -> str:
    name = _text(environ, NAME, "a name of up to 63 letters, digits, _ and -", "POSTGRES_DB") or "odoo"
    if name in SYSTEM:
        raise Refused(
            f"POSTGRES_DB: {name!r}, expected a database of Odoo's own, not one of the server's; name another"
        )
    return name


def _given(environ: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    """Variable and value; both empty where none is set. Two may be, if they say the same."""
    found = [(name, environ[name]) for name in names if environ.get(name)]
    if len({value for _, value in found}) > 1:
        raise Refused(
            f"{' and '.join(name for name, _ in found)}: say different things, expected one of them; take one out"
        )
    return found[0] if found else ("", "")


def _text(environ: Mapping[str, str], pattern: str, expected: str, *names: str) -> str:
    variable, value = _given(environ, names)
    if value and not re.fullmatch(pattern, value):
        raise Refused(f"{variable}: {value[:80]!r}, expected {expected}; set it to one")
    return value


def _number(environ: Mapping[str, str], least: int, most: int, default: int, *names: str) -> int:
    variable, value = _given(environ, names)
    if not value:
        return default
    if not re.fullmatch(r"[0-9]{1,5}", value) or not least <= int(value) <= most:
        raise Refused(f"{variable}: {value[:80]!r}, expected a number from {least} to {most}; set it to one")
    return int(value)


def _choice(environ: Mapping[str, str], choices: tuple[str, ...], default: str, name: str) -> str:
    value = environ.get(name) or default
    if value not in choices:
        raise Refused(f"{name}: {value[:80]!r}, expected one of {', '.join(choices)}; set it to one")
    return value
