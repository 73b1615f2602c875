"""The database image by itself: its first start, its password, and what may go wrong with either."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from lab.identity import Lab
from tests.images.built import log, ran, write_secret

pytestmark = pytest.mark.lab

SECRET = "/run/secrets/password"
PGDATA = "/var/lib/postgresql/data"
TMPFS = {"/tmp": "size=16m,mode=1777", "/run/postgresql": "size=1m,mode=1777"}
HOSTILE = [
    'it\'s a "quoted" one',
    r"back\slash\n $HOME $(reboot) `id` ${X}",
    "ünï ☃ 🐘 пароль",
    "semi;colon -- /* */ {brace}} %20+&=",
    "ends with a backslash\\",
    " spaces around ",
    "-leading; 'DROP DATABASE shop'",
]


@dataclass
class Database:
    """One volume, and the containers that use it in turn."""

    engine: docker.DockerClient
    image: str
    lab: Lab
    volume: str
    secret: Path

    def start(self, **more: Any) -> Container:
        """A container as a compose file would have it: read-only, without capabilities."""
        more.setdefault("environment", {"POSTGRES_USER": "shop", "POSTGRES_PASSWORD_FILE": SECRET})
        return self.engine.containers.run(
            self.image,
            detach=True,
            labels=self.lab.labels,
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            network_mode="none",
            tmpfs=TMPFS,
            volumes={
                self.volume: {"bind": PGDATA, "mode": "rw"},
                **({str(self.secret): {"bind": SECRET, "mode": "ro"}} if self.secret.exists() else {}),
            },
            **more,
        )

    def files(self, script: str) -> str:
        """What a shell that sees the volume prints."""
        mounts = {self.volume: {"bind": PGDATA, "mode": "rw"}}
        said: bytes = self.engine.containers.run(
            self.image, ["-c", script], entrypoint=["sh"], remove=True, labels=self.lab.labels, volumes=mounts
        )
        return said.decode()


def ready(container: Container) -> float:
    """Wait until it is healthy; the seconds it took."""
    start = time.monotonic()
    while container.exec_run("healthcheck").exit_code:
        container.reload()
        assert container.status == "running" and time.monotonic() < start + 30, log(container)
        time.sleep(0.05)
    return time.monotonic() - start


def query(container: Container, password: str, sql: str = "SELECT current_user", user: str = "shop") -> tuple[int, str]:
    """Exit code and output of psql over TCP, where the password counts."""
    return ran(container, *f"psql -XAtq -h 127.0.0.1 -U {user} -d shop -c".split(), sql, PGPASSWORD=password)


@pytest.fixture
def database(engine: docker.DockerClient, images: Mapping[str, str], room: Lab, tmp_path: Path) -> Database:
    """An empty volume and a password file."""
    volume = engine.volumes.create(labels=room.labels)
    write_secret(tmp_path / "password", "first\n")
    return Database(engine, images["postgres"], room, volume.name, tmp_path / "password")


def test_any_password_works_and_a_changed_one_counts_from_the_next_start(database: Database) -> None:
    write_secret(database.secret, HOSTILE[0])
    container, before = database.start(), "first"
    for position, password in enumerate(HOSTILE):
        if position:
            write_secret(database.secret, password + "\n")
            container.restart(timeout=10)
        ready(container)
        assert query(container, password) == (0, "shop"), log(container)
        assert query(container, before)[0] != 0
        assert password not in log(container)
        before = password
    container.remove(force=True)


def test_the_user_owns_its_database_but_is_no_superuser(database: Database) -> None:
    container = database.start()
    assert ready(container) < 10
    sql = "SELECT rolsuper, rolcreatedb, (SELECT datdba = pg_roles.oid FROM pg_database WHERE datname = 'shop')"
    assert query(container, "first", f"{sql} FROM pg_roles WHERE rolname = 'shop'") == (0, "f|t|t")
    assert query(container, "first", "SHOW server_encoding; SHOW password_encryption")[1] == "UTF8\nscram-sha-256"
    assert query(container, "first", "SELECT 1", user="postgres")[0] != 0
    assert ran(container, "stat", "-c", "%u", "/proc/1")[1] == "999"
    start = time.monotonic()
    container.stop(timeout=10)
    container.reload()
    assert container.attrs["State"]["ExitCode"] == 0 and time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("environment", "secret", "message"),
    [
        ({"POSTGRES_PASSWORD_FILE": SECRET}, "two\nlines", "holds a line end"),
        ({"POSTGRES_PASSWORD_FILE": SECRET}, "", "there is no password"),
        ({"POSTGRES_PASSWORD_FILE": SECRET}, "a\x07bell", "holds a control character"),
        ({"POSTGRES_PASSWORD_FILE": SECRET}, b"\xff\xfe-latin", "is not text in UTF-8"),
        ({"POSTGRES_PASSWORD_FILE": "/elsewhere"}, "good", "cannot be read by uid 999"),
        ({"POSTGRES_PASSWORD_FILE": SECRET, "POSTGRES_PASSWORD": "other"}, "good", "are both set"),
        ({}, "good", "there is no password"),
        ({"POSTGRES_PASSWORD_FILE": SECRET, "POSTGRES_USER": 'x"; DROP'}, "good", "POSTGRES_USER and POSTGRES_DB"),
        ({"POSTGRES_PASSWORD_FILE": SECRET, "POSTGRES_DB": "a'b"}, "good", "POSTGRES_USER and POSTGRES_DB"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_made(
    database: Database, environment: dict[str, str], secret: str | bytes, message: str
) -> None:
    write_secret(database.secret, secret)
    container = database.start(environment=environment)
    assert container.wait(timeout=20)["StatusCode"] == 1
    said = log(container)
    assert said.startswith("postgres: ") and message in said and len(said.splitlines()) == 1
    assert not any(word in said for word in ("two", "lines", "bell", "latin", "other"))
    assert database.files(f"ls -A {PGDATA}") == ""


def test_a_password_in_the_environment_is_taken_and_does_not_reach_the_server(database: Database) -> None:
    container = database.start(environment={"POSTGRES_USER": "shop", "POSTGRES_PASSWORD": "from the environment"})
    ready(container)
    assert query(container, "from the environment") == (0, "shop")
    assert ran(container, "grep", "-c", "POSTGRES_PASSWORD", "/proc/1/environ")[1] == "0"


def test_a_first_start_that_was_cut_off_at_any_moment_starts_over(database: Database) -> None:
    killed_early = 0
    for delay_s in (0.15, 0.3, 0.45, 0.6, 0.75):
        container = database.start()
        time.sleep(delay_s)
        container.remove(force=True)
        killed_early += "PG_VERSION" not in database.files(f"ls -A {PGDATA}")
    assert killed_early
    container = database.start()
    ready(container)
    assert query(container, "first", "CREATE TABLE t (a int); SELECT count(*) FROM t") == (0, "0")
    assert ".unfinished" not in database.files(f"ls -A {PGDATA}")


@pytest.mark.parametrize("moved", ["", "base global", "base global pg_wal postgresql.conf"])
def test_a_cut_off_between_two_moves_starts_over(database: Database, moved: str) -> None:
    container = database.start()
    ready(container)
    container.stop(timeout=10)
    script = f"cd {PGDATA} && mkdir .unfinished && mv [!.]* .unfinished"
    database.files(f"{script} && for one in {moved or '.no'}; do mv .unfinished/$one . || true; done")
    again = database.start()
    ready(again)
    assert "starting over" in log(again) and query(again, "first") == (0, "shop")


def test_files_of_others_in_the_volume_are_left_alone(database: Database) -> None:
    database.files(f"echo precious > {PGDATA}/mine")
    container = database.start()
    assert container.wait(timeout=20)["StatusCode"] == 1
    assert "holds files but no database cluster" in log(container)
    assert database.files(f"cat {PGDATA}/mine") == "precious\n"


def test_a_killed_server_comes_back_with_what_it_had_committed(database: Database) -> None:
    container = database.start()
    ready(container)
    assert query(container, "first", "CREATE TABLE t AS SELECT 42 AS a") == (0, "")
    container.kill()
    container.wait()
    container.start()
    ready(container)
    assert query(container, "first", "SELECT a FROM t") == (0, "42")


def test_another_user_than_the_folder_was_made_for_is_named(database: Database) -> None:
    first = database.start()
    ready(first)
    first.remove(force=True)
    other = database.start(environment={"POSTGRES_USER": "stranger", "POSTGRES_PASSWORD_FILE": SECRET})
    assert other.wait(timeout=20)["StatusCode"] == 1
    assert "another POSTGRES_USER" in log(other) and "first" not in log(other).replace("the first", "")
