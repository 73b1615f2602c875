"""The schema: whose it is, how old it is, and the way to this program's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, inspect, select, table, text

from hosting.errors import DatabaseRefused

VERSION_TABLE = "hypercompose_schema"
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x68797065
"""Advisory lock of PostgreSQL that those who migrate take, one after the other."""


def check(connection: Connection, *, may_be_older: bool = False) -> None:
    """DatabaseRefused for a schema that is somebody else's, newer than this program, or older unless that may be."""
    found, known = _found(connection), _known()
    if found and found not in known:
        raise DatabaseRefused(
            f"database: its schema is {found}, expected {known[0]} or older; use that or a newer release"
        )
    if not may_be_older and found != known[0]:
        raise DatabaseRefused(
            f"database: its schema is {found or 'not there'}, expected {known[0]}; migrate it with this program first"
        )


def migrate(connection: Connection) -> None:
    """In the transaction of the connection: all of it, or nothing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # however many rows a step goes through
        connection.execute(text("SET LOCAL lock_timeout = '10min'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    check(connection, may_be_older=True)
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def configuration() -> Config:
    """Alembic's, without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@cache
def _known() -> list[str]:
    """Revisions, the newest first."""
    script = ScriptDirectory.from_config(configuration())
    return [revision.revision for revision in script.walk_revisions()]


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
