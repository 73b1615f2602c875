"""PostgreSQL as hosting needs it: read committed, rows locked for each decision, no wait without end."""

from __future__ import annotations

from sqlalchemy import URL, Connection, Engine, create_engine, event

DRIVERS = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
LIMITS = {
    "lock_timeout": "30s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}


def engine(url: URL) -> Engine:
    """Over psycopg; a connection that has died meanwhile is replaced before it is used."""
    made = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=20,
        connect_args={
            "connect_timeout": 10,
            "application_name": "hypercompose",
            "options": " ".join(f"-c {name}={value}" for name, value in LIMITS.items()),
        },
    )
    event.listen(made, "begin", _begun)
    return made


def _begun(connection: Connection) -> None:
    if not connection.get_execution_options()["is_write"]:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
