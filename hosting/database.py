"""The database of hosting: SQLite for one machine and trials, PostgreSQL deployed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from hosting import postgresql, sqlite
from hosting.errors import Busy, DatabaseAway, DatabaseRefused
from hosting.schema import check, migrate

TRIES = 8
"""How often a transaction is begun anew when others got in its way."""
IN_THE_WAY = frozenset({"23505", "40001", "40P01", "55P03"})
"""PostgreSQL: unique violation, serialization failure, deadlock, lock not available."""
P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """Sessions of one database. A process that forks opens its own."""

    def __init__(self, engine: Engine) -> None:
        """Of `open_database`."""
        self.engine = engine
        self._is_checked = False

    def migrate(self) -> None:
        """Bring the schema to this program's, from nothing or from an older one; safe while others do the same."""
        with self._speaking(), self.engine.execution_options(is_write=True).begin() as connection:
            migrate(connection)
        self._is_checked = True

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that can change nothing."""
        with self._session(is_write=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed at the end, or leaves nothing of what it did."""
        with self._session(is_write=True) as session:
            yield session

    def transact(self, operation: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The operation as one transaction; begun anew, a bounded number of times, when another got in its way."""
        for attempt in range(TRIES):
            time.sleep(random.uniform(0, 0.02 * 2**attempt) if attempt else 0)  # noqa: S311  spreads those that met
            try:
                with self.write() as session:
                    return operation(session, *args, **kwargs)
            except (IntegrityError, StaleDataError, OperationalError) as error:
                if not _got_in_the_way(error):
                    raise
                met = error
        raise Busy(f"database: busy, expected to get through in {TRIES} tries; nothing was changed, ask again") from met

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def _session(self, *, is_write: bool) -> Iterator[Session]:
        with self._speaking(), self.engine.execution_options(is_write=is_write).connect() as connection:
            if not self._is_checked:
                check(connection)
                self._is_checked = True
                connection.rollback()
            with Session(connection, expire_on_commit=False) as session, session.begin():
                yield session

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """What a lost connection means, in a sentence."""
        try:
            yield
        except DBAPIError as error:
            if error.connection_invalidated or _is_away(error):
                raise DatabaseAway(
                    f"database: {_where(self.engine)} cannot be used now ({_said(error)}), expected one that lets us "
                    "in and has room; look at its server or disk, then ask again"
                ) from error
            raise


def open_database(url: str) -> Database:
    """`sqlite:///<file>` or `postgresql://<user>@<host>/<name>`. DatabaseRefused for one that is not ours to use."""
    try:
        found = make_url(url)
    except ArgumentError as error:
        raise _refused("not a URL") from error
    for kind in (sqlite, postgresql):
        if found.drivername in kind.DRIVERS:
            database = Database(kind.engine(found))
            _look(database)
            return database
    raise _refused(f"{found.drivername!r}")


def _look(database: Database) -> None:
    """Refuse what is somebody else's, or newer, before anything is asked of it."""
    try:
        with database._speaking(), database.engine.execution_options(is_write=False).connect() as connection:
            check(connection, may_be_older=True)
    except DBAPIError as error:
        raise DatabaseRefused(
            f"database: {_where(database.engine)} cannot be read ({_said(error)}), "
            "expected a database of this program; name another"
        ) from error


def _refused(what: str) -> DatabaseRefused:
    return DatabaseRefused(
        f"database: {what}, expected sqlite:///<file> or postgresql://<user>@<host>/<name>; correct the URL"
    )


def _got_in_the_way(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return True  # a row that somebody else has changed
    return sqlite.is_in_the_way(error.orig) or getattr(error.orig, "sqlstate", None) in IN_THE_WAY


def _is_away(error: DBAPIError) -> bool:
    """psycopg says OperationalError without a state when there is no server behind the connection."""
    if sqlite.is_away(error.orig):
        return True
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.orig, "sqlstate", "")
    return state is None or str(state).startswith(("08", "28", "3D", "57P"))


def _where(engine: Engine) -> str:
    """Without what may be secret in a URL."""
    url = engine.url
    return f"{url.get_backend_name()}://{url.host or ''}/{url.database}"


def _said(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())
