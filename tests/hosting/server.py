"""A PostgreSQL of the distribution, in a temporary folder, reached by nobody else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from setup.machine import Tool, ensure, find

INITDB = Tool(
    name="initdb",
    package="postgresql",
    remedy="install the PostgreSQL server (https://www.postgresql.org/download/)",
    folders=tuple(f"/usr/lib/postgresql/{release}/bin" for release in range(19, 12, -1)),
)
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")
USER = "postgres"
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100", "shared_buffers=32MB")
PATIENCE_S = 30


@dataclass(frozen=True)
class Server:
    """Listens on a socket in its folder, and on no port."""

    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def run(self, statement: str) -> None:
        with psycopg.connect(host=str(self.folder), user=USER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgresql_server() -> Iterator[Server]:
    """Started, and stopped by its pid; it also ends when we die."""
    if find(INITDB) is None and os.geteuid() == 0:  # its package would make and start a server of its own
        NO_CLUSTER.parent.mkdir(exist_ok=True)
        NO_CLUSTER.write_text("create_main_cluster = false\n")
    programs = ensure(INITDB).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="hypercompose-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
    try:
        make = ["-D", f"{folder}/data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"]
        subprocess.run(_not_root(str(programs / "initdb"), *make), check=True, capture_output=True, cwd=folder)
        settings = [word for setting in ("listen_addresses=", *QUICK) for word in ("-c", setting)]
        start = _not_root(str(programs / "postgres"), "-D", f"{folder}/data", "-k", str(folder), *settings)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(start, stdout=log, stderr=log, cwd=folder)
        try:
            server = Server(folder, process)
            _await(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # ends sessions and stops
            process.wait(PATIENCE_S)
    finally:
        shutil.rmtree(folder)


def _not_root(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    other = ("--reuid", USER, "--regid", USER, "--clear-groups") if os.geteuid() == 0 else ()
    return ["setpriv", *other, "--pdeathsig", "INT", *command]


def _await(server: Server) -> None:
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return server.run("SELECT 1")
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError((server.folder / "log").read_text()) from None
            time.sleep(0.02)
