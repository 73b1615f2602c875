"""The schema: whose it is, how old it is, and the way to this program's."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, column, inspect, select, table, text

from hosting.errors import DatabaseRefused

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "hypercompose_schema"
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x68797065
"""Advisory lock of PostgreSQL that those who migrate take, one after the other."""


def check(connection: Connection, *, may_be_older: bool = False) -> str:
    """Its revision; empty for one that holds nothing.

    DatabaseRefused for a schema that is somebody else's, newer than this program, or older unless that may be.
    """
    found, known = _found(connection), _known()
    if found and found not in known:
        raise DatabaseRefused(
            f"database: its schema is {found}, expected {known[0]} or older; use that or a newer release"
        )
    if not may_be_older and found != known[0]:
        raise DatabaseRefused(
            f"database: its schema is {found or 'not there'}, expected {known[0]}; migrate it with this program first"
        )
    return found


def migrate(connection: Connection) -> None:
    """In the transaction of the connection: all of it, or nothing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # however many rows a step goes through
        connection.execute(text("SET LOCAL lock_timeout = '10min'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    if check(connection, may_be_older=True) == _known()[0]:
        return
    from alembic import command  # which takes a while to load, for what most commands need not

    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def configuration() -> Config:
    """Alembic's, without a file of its own."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@cache
def _known() -> list[str]:
    """Revisions, the newest first: numbers, by which their files begin."""
    return sorted((file.name.partition("_")[0] for file in MIGRATIONS.glob("versions/[0-9]*.py")), reverse=True)


def _found(connection: Connection) -> str:
    """Revision of the database; empty for one that holds nothing."""
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE in tables:
        return str(connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar() or "")
    if tables:
        named = ", ".join(sorted(tables)[:3])
        raise DatabaseRefused(
            f"database: holds tables of another program ({named}), expected an empty one or ours; name another"
        )
    return ""
