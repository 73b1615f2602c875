"""The schema: as the models say on both databases, refused where it is not ours, moved by one who writes at a time."""

from __future__ import annotations

import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from hosting import schema
from hosting.database import open_database
from hosting.errors import DatabaseAway, DatabaseRefused
from hosting.model import Base
from hosting.schema import VERSION_TABLE
from tests.hosting.server import Server
from tests.hosting.world import ask, tell


def as_alchemy(url: str) -> Any:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def shape(connection: Connection) -> dict[str, Any]:
    """Everything the database itself says of the tables."""
    found, tables = inspect(connection), sorted(set(inspect(connection).get_table_names()) - {VERSION_TABLE})
    parts = ("columns", "pk_constraint", "foreign_keys", "unique_constraints", "check_constraints", "indexes")

    def told(part: str, table: str) -> list[str]:
        content = getattr(found, f"get_{part}")(table)
        return sorted(map(str, content if isinstance(content, list) else [content]))

    return {f"{table}.{part}": told(part, table) for table in tables for part in parts}


def test_the_migrated_schema_is_that_of_the_models(empty_url: str) -> None:
    database = open_database(empty_url)
    database.migrate()
    with database.engine.execution_options(is_write=False).connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, Base.metadata) == []
        migrated = shape(connection)
    database.close()
    engine = as_alchemy(empty_url)
    with engine.begin() as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
        assert shape(connection) == migrated
    assert sum(len(lines) for name, lines in migrated.items() if name.endswith("check_constraints")) >= 10
    engine.dispose()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("instances", "state", "'gone'"),
        ("instances", "run", "'RUNNING'"),
        ("instances", "memory_mib", "0"),
        ("instances", "made", "2"),
        ("instances", "lock_holder", "'x'"),
        ("instances", "host", "'lab/none'"),
        ("ports", "number", "0"),
        ("ports", "instance", "'nobody'"),
        ("ports", "quarantined_until", "'2026-01-01'"),
        ("hosts", "first_port", "20100"),
    ],
)
def test_the_database_itself_refuses_rows_that_make_no_sense(url: str, table: str, column: str, value: str) -> None:
    database = open_database(url)
    tell(database)
    ask(database)
    with pytest.raises(DBAPIError, match=r"(?i)constraint"), database.write() as session:
        session.execute(text(f"UPDATE {table} SET {column} = {value}"))  # noqa: S608
    database.close()


def test_migrating_twice_or_by_several_at_once_is_as_good_as_once(empty_url: str) -> None:
    databases = [open_database(empty_url) for _ in range(4)]
    failed: list[BaseException] = []

    def migrate(index: int) -> None:
        try:
            databases[index].migrate()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=migrate, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    databases[0].migrate()
    for database in databases:
        database.close()


def test_a_database_that_was_not_migrated_says_so(empty_url: str) -> None:
    database = open_database(empty_url)
    with pytest.raises(DatabaseRefused, match="schema is not there, expected 0002; migrate it"), database.read():
        pass
    database.close()


def test_a_newer_schema_is_left_to_its_release(empty_url: str) -> None:
    database = open_database(empty_url)
    database.migrate()
    database.close()
    engine = as_alchemy(empty_url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0999'"))  # noqa: S608
    engine.dispose()
    with pytest.raises(DatabaseRefused, match="schema is 0999, expected 0002 or older; use that or a newer release"):
        open_database(empty_url)


def test_tables_of_another_program_are_not_touched(empty_url: str) -> None:
    engine = as_alchemy(empty_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (number INTEGER)"))
    engine.dispose()
    with pytest.raises(DatabaseRefused, match=r"another program \(invoices\)"):
        open_database(empty_url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "not a URL"),
        ("hosting.db", "not a URL"),
        ("mysql://root:canary@db/x", "'mysql', expected sqlite"),
        ("postgresql+asyncpg://u:canary@db/x", "asyncpg"),
        ("sqlite://", "no file"),
        ("sqlite:///:memory:", "no file"),
        ("sqlite:////no/such/folder/x.db", "/no/such/folder is no folder"),
        ("sqlite:///hosting.db?mode=ro", "no file"),
        ("postgresql://u:canary@127.0.0.1:99999999/x", "database: "),
    ],
)
def test_a_url_that_cannot_be_is_refused_in_a_sentence_without_its_password(url: str, message: str) -> None:
    with pytest.raises((DatabaseRefused, DatabaseAway)) as caught:
        open_database(url)
    assert message in str(caught.value) and "canary" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_no_database_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "letter.db"
    file.write_bytes(b"Dear Ann, " * 1000)
    with pytest.raises(DatabaseRefused, match=r"letter.db cannot be read \(file is not a database\)"):
        open_database(f"sqlite:///{file}")
    assert file.read_bytes() == b"Dear Ann, " * 1000


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused, match="is no file, expected one of ours or none"):
        open_database(f"sqlite:///{tmp_path}")


def test_a_file_that_is_made_is_its_owners_alone(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/new.db")
    database.migrate()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes["new.db"] == 0o600 and set(modes.values()) == {0o600}
    database.close()


def test_sqlite_is_set_up_for_many_processes(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/new.db")
    database.migrate()
    with database.read() as session:
        asked = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        told = [session.execute(text(f"PRAGMA {name}")).scalar() for name in asked]
    assert told == ["wal", 1, 2, 30_000]
    database.close()
    assert sqlite3.connect(tmp_path / "new.db").execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_server_that_is_not_there_is_told_in_a_sentence_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseAway, match="cannot be used now") as caught:
        open_database(f"postgresql://ann:canary@/hosting?host={tmp_path}&password=canary")
    assert "canary" not in str(caught.value)


def test_a_database_that_is_not_there_is_told_in_a_sentence(server: Server) -> None:
    with pytest.raises(DatabaseAway, match=r"nowhere cannot be used now \(.*does not exist"):
        open_database(server.url("nowhere"))


def test_revisions_are_known_by_their_files_as_alembic_knows_them() -> None:
    script = ScriptDirectory.from_config(schema.configuration())
    assert schema._known() == [revision.revision for revision in script.walk_revisions()]
