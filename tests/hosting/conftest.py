"""Every test of the database runs on both."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosting.database import Database, open_database
from tests.hosting.server import Server, postgresql_server
from tests.hosting.world import KINDS, Url

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgresql_server() as found:
        yield found


@pytest.fixture(scope="session")
def migrated(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each, migrated once, that the others are copies of."""
    file = tmp_path_factory.mktemp("migrated") / "hosting.db"
    server.run("CREATE DATABASE migrated")
    for url in (f"sqlite:///{file}", server.url("migrated")):
        database = open_database(url)
        database.migrate()
        database.close()
    return file


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, server: Server, tmp_path: Path) -> Iterator[str]:
    """Of a database that holds nothing."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    name = f"empty_{next(_numbers)}"
    server.run(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def new_url(server: Server, migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Url:
    """Makes databases, for tests that need many."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            file = tmp_path_factory.mktemp("database") / "hosting.db"
            shutil.copyfile(migrated, file)
            return f"sqlite:///{file}"
        name = f"hosting_{os.getpid()}_{next(_numbers)}"
        server.run(f"CREATE DATABASE {name} TEMPLATE migrated")
        return server.url(name)

    return make


@pytest.fixture
def url(kind: str, new_url: Url) -> str:
    return new_url(kind)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    found = open_database(url)
    yield found
    found.close()
