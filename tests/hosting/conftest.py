"""Every test of the database runs on both."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hosting.database import Database, open_database
from hosting.model import Base
from tests.hosting.server import Server, postgresql_server
from tests.hosting.world import KINDS, Url

EMPTIED = "; ".join(f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables))  # noqa: S608
_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgresql_server() as found:
        yield found


@pytest.fixture(scope="session")
def on_server(server: Server) -> Iterator[psycopg.Connection]:
    """A migrated database of the server; emptying it takes less than making one."""
    server.run("CREATE DATABASE hosting")
    _migrate(server.url("hosting"))
    with psycopg.connect(server.url("hosting"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Others are copies of it."""
    file = tmp_path_factory.mktemp("migrated") / "hosting.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, server: Server, tmp_path: Path) -> Iterator[str]:
    """Of a database that holds nothing at all."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    name = f"empty_{next(_numbers)}"
    server.run(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def new_url(kind: str, server: Server, on_server: psycopg.Connection, migrated_file: Path, tmp_path: Path) -> Url:
    """Empty tables, as often as a test needs them."""

    def make() -> str:
        if kind == "sqlite":
            file = tmp_path / f"{next(_numbers)}.db"
            shutil.copyfile(migrated_file, file)
            return f"sqlite:///{file}"
        on_server.execute(EMPTIED.encode())
        return server.url("hosting")

    return make


@pytest.fixture
def url(new_url: Url) -> str:
    return new_url()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    found = open_database(url)
    yield found
    found.close()


def _migrate(url: str) -> None:
    database = open_database(url)
    database.migrate()
    database.close()
