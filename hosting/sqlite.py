"""SQLite as hosting needs it: one writer at a time who waits for the others, readers who wait for nobody."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from hosting.errors import DatabaseRefused

DRIVERS = frozenset({"sqlite", "sqlite+pysqlite"})
PATIENCE_MS = 30_000
SAME_KEY = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


def engine(url: URL) -> Engine:
    """Over a file, which is made, readable by its owner alone, where there is none."""
    if not url.database or url.database == ":memory:" or url.query:
        raise DatabaseRefused("database: no file, expected sqlite:///<file>; name a file in an existing folder")
    _make(Path(url.database))
    made = create_engine(url, pool_size=10, max_overflow=20, connect_args={"timeout": PATIENCE_MS / 1000})
    event.listen(made, "connect", _connected)
    event.listen(made, "begin", _begun)
    return made


def is_in_the_way(error: BaseException | None) -> bool:
    """Another connection held the file for longer than we wait, or wrote the same key."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code in SAME_KEY or code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_away(error: BaseException | None) -> bool:
    """The disk is full or broken, or the file is no longer what it was."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN)


def _make(file: Path) -> None:
    if not file.parent.is_dir():
        raise DatabaseRefused(f"database: {file.parent} is no folder, expected one that is there; make it first")
    if file.exists() and not file.is_file():
        raise DatabaseRefused(f"database: {file} is no file, expected one of ours or none; name another")
    try:
        file.touch(mode=0o600)
    except OSError as error:
        raise DatabaseRefused(
            f"database: {file} cannot be written ({error.strerror}), expected a file of ours; check its path and owner"
        ) from error


def _connected(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # the driver would begin by itself, too late and without IMMEDIATE
    for pragma in (f"busy_timeout = {PATIENCE_MS}", "journal_mode = WAL", "foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begun(connection: Connection) -> None:
    is_write = connection.get_execution_options()["is_write"]
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if is_write else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
