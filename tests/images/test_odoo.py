"""Odoo's image with a database beside it: its two contracts, its first start, and what may go wrong with either."""

from __future__ import annotations

import re
import time
import xmlrpc.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from docker.models.containers import Container

from lab.identity import Lab
from lab.processes import free_port
from tests.images.built import log, ran, write_secret

pytestmark = pytest.mark.lab

PASSWORD, ADMIN = " db:pass\\word 'Canary' ", "adm\"in 'Canary' $(reboot) `id` ☃"
TMPFS = {"/tmp": "size=64m,mode=1777", "/run/odoo": "size=1m,mode=1777"}
PG_TMPFS = {"/tmp": "size=16m,mode=1777", "/run/postgresql": "size=1m,mode=1777"}
POSTGRES = {"DB_HOST": "db", "DB_PORT": "5432", "POSTGRES_USER": "odoo", "POSTGRES_PASSWORD_FILE": "/run/secrets/db"}
OFFICIAL = {"HOST": "db", "PORT": "5432", "USER": "odoo", "PASSWORD_FILE": "/run/secrets/db"}
FIRST = {"ODOO_ADMIN_PASSWORD_FILE": "/run/secrets/admin"}


@dataclass
class Ground:
    """A network with a PostgreSQL on it, on which each test has a database of its own."""

    engine: docker.DockerClient
    images: Mapping[str, str]
    lab: Lab
    network: str
    database: Container
    secrets: Path
    counter: list[int] = field(default_factory=list)

    def name(self) -> str:
        """Of a new database."""
        self.counter.append(1)
        return f"shop_{len(self.counter)}"

    @contextmanager
    def odoo(self, environment: Mapping[str, str], **more: Any) -> Iterator[Odoo]:
        """A container as a compose file would have it, with a volume of its own unless told another."""
        port = free_port()
        volume = more.pop("volume", None) or self.engine.volumes.create(labels=self.lab.labels).name
        mounts = {str(file): {"bind": f"/run/secrets/{file.name}", "mode": "ro"} for file in self.secrets.iterdir()}
        container = self.engine.containers.run(
            self.images["odoo"],
            detach=True,
            labels=self.lab.labels,
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            network=self.network,
            tmpfs=TMPFS,
            environment=dict(environment),
            volumes={volume: {"bind": "/var/lib/odoo", "mode": "rw"}, **mounts},
            ports={"8069/tcp": ("127.0.0.1", port)},
            **more,
        )
        try:
            yield Odoo(container, port, volume)
        finally:
            container.remove(force=True)

    def sql(self, statement: str, database: str = "odoo") -> str:
        """What the server's superuser is answered."""
        code, said = ran(
            self.database, *f"psql -XAtq -h /run/postgresql -U postgres -d {database} -c".split(), statement
        )
        assert code == 0, said
        return said


@dataclass
class Odoo:
    """One container."""

    container: Container
    port: int
    volume: str

    def ready(self, timeout_s: float = 60) -> float:
        """Wait for the health of both ports; the seconds it took."""
        start = time.monotonic()
        while self.container.exec_run("healthcheck").exit_code:
            self.container.reload()
            assert self.container.status == "running" and time.monotonic() < start + timeout_s, log(self.container)
            time.sleep(0.1)
        return time.monotonic() - start

    def call(self, path: str, method: str = "GET", **more: Any) -> requests.Response:
        """A request of a visitor."""
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=20, **more)

    def login(self, database: str, password: str, user: str = "admin") -> int | bool:
        """The user's number; False where the door stays shut."""
        found = self._server("common").authenticate(database, user, password, {})
        assert isinstance(found, int)
        return found

    def execute(self, database: str, model: str, method: str, *arguments: Any) -> Any:
        """A call of the administrator's."""
        return self._server("object").execute_kw(database, 2, ADMIN, model, method, list(arguments))

    def _server(self, what: str) -> Any:
        return xmlrpc.client.ServerProxy(f"http://127.0.0.1:{self.port}/xmlrpc/2/{what}")

    def refused(self) -> str:
        """The one line that it ends with."""
        assert self.container.wait(timeout=30)["StatusCode"] == 1
        said = log(self.container)
        assert said.startswith("odoo: ") and len(said.splitlines()) == 1, said
        return said


@pytest.fixture(scope="module")
def ground(
    engine: docker.DockerClient, images: Mapping[str, str], room: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    secrets = tmp_path_factory.mktemp("secrets")
    write_secret(secrets / "db", PASSWORD + "\n")
    write_secret(secrets / "admin", ADMIN + "\n")
    network = engine.networks.create(f"{room.site}-odoo", labels=room.labels)
    database = engine.containers.create(
        images["postgres"],
        labels=room.labels,
        read_only=True,
        cap_drop=["ALL"],
        tmpfs=PG_TMPFS,
        environment={"POSTGRES_USER": "odoo", "POSTGRES_PASSWORD_FILE": "/run/secrets/db"},
        volumes={str(secrets / "db"): {"bind": "/run/secrets/db", "mode": "ro"}},
    )
    network.connect(database, aliases=["db"])
    database.start()
    try:
        while database.exec_run("healthcheck").exit_code:
            database.reload()
            assert database.status == "running", log(database)
        yield Ground(engine, images, room, str(network.name), database, secrets)
    finally:
        database.remove(force=True, v=True)
        network.remove()


@pytest.mark.parametrize("contract", [POSTGRES, OFFICIAL], ids=["postgres", "official"])
def test_either_contract_leads_to_a_page_where_its_administrator_logs_in(
    ground: Ground, contract: Mapping[str, str]
) -> None:
    name = ground.name()
    with ground.odoo({**contract, **FIRST, "POSTGRES_DB": name}) as odoo:
        assert odoo.ready() < 30
        page = odoo.call("/web/login")
        assert page.status_code == 200 and 'name="login"' in page.text
        assert (odoo.login(name, ADMIN), odoo.login(name, "admin"), odoo.login(name, "")) == (2, False, False)
        code, said = ran(odoo.container, "bash", "-c", "tr '\\0' ' ' < /proc/1/cmdline; stat -c %u:%g /proc/1")
        assert (code, said) == (0, "/usr/bin/python3 /usr/bin/odoo -c /etc/odoo/odoo.conf 101:101")


def test_the_first_start_happens_once_and_a_record_outlives_the_container(ground: Ground) -> None:
    name = ground.name()
    environment = {**POSTGRES, **FIRST, "POSTGRES_DB": name}
    with ground.odoo(environment) as odoo:
        odoo.ready()
        made = odoo.execute(name, "res.partner", "create", {"name": "Zoë 🐘'); DROP TABLE res_partner;--"})
        before = ground.sql("SELECT key, value FROM ir_config_parameter WHERE key LIKE 'database.%' ORDER BY 1", name)
        start = time.monotonic()
        odoo.container.stop(timeout=10)
        assert time.monotonic() - start < 5
        odoo.container.reload()
        assert odoo.container.attrs["State"]["ExitCode"] == 0
    with ground.odoo(POSTGRES | {"POSTGRES_DB": name}, volume=odoo.volume) as again:  # without the first password
        assert again.ready() < 15
        (found,) = again.execute(name, "res.partner", "read", [made], ["name"])
        assert found["name"] == "Zoë 🐘'); DROP TABLE res_partner;--"
    assert (
        ground.sql("SELECT key, value FROM ir_config_parameter WHERE key LIKE 'database.%' ORDER BY 1", name) == before
    )


def test_two_instances_have_nothing_in_common_that_is_secret(ground: Ground) -> None:
    names = [ground.name(), ground.name()]
    statement = "SELECT value FROM ir_config_parameter WHERE key IN ('database.secret', 'database.uuid')"
    for name in names:
        with ground.odoo({**POSTGRES, **FIRST, "POSTGRES_DB": name}) as odoo:
            odoo.ready()
    values = [ground.sql(statement, name) for name in names]
    assert len(set(" ".join(values).split())) == 4
    hashes = [ground.sql("SELECT password FROM res_users WHERE id = 2", name) for name in names]
    assert len(set(hashes)) == 2 and all(re.fullmatch(r"\$pbkdf2-sha512\$\S+", one) for one in hashes)


def test_no_secret_is_in_an_argument_an_environment_a_log_or_a_readable_file(ground: Ground) -> None:
    name = ground.name()
    with ground.odoo({**POSTGRES, **FIRST, "POSTGRES_DB": name, "ODOO_LOG_LEVEL": "debug"}) as odoo:
        odoo.ready()
        processes = ran(odoo.container, "bash", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'")[
            1
        ]
        assert "PGPASSFILE=/run/odoo/pgpass" in processes and "PASSWORD=" not in processes
        described = str(odoo.container.attrs)
        assert "Canary" not in processes + described + log(odoo.container)
        modes = ran(odoo.container, "stat", "-c", "%a %u", "/run/odoo/odoo.conf", "/run/odoo/pgpass")[1]
        assert modes.split() == ["600", "101"] * 2
        assert "Canary" not in ran(odoo.container, "cat", "/etc/odoo/odoo.conf")[1]


def test_the_page_that_makes_and_drops_databases_is_closed(ground: Ground) -> None:
    name = ground.name()
    with ground.odoo({**POSTGRES, **FIRST, "POSTGRES_DB": name}) as odoo:
        odoo.ready()
        assert "disabled by the administrator" in odoo.call("/web/database/manager").text
        dump = odoo.call(
            "/web/database/backup", "POST", data={"master_pwd": "admin", "name": name, "backup_format": "zip"}
        )
        assert dump.headers["Content-Type"].startswith("text/html") and "Access" in dump.text
        assert odoo.call(
            "/web/session/authenticate", "POST", json={"params": {"db": "x", "login": "a", "password": "b"}}
        )
        with pytest.raises(xmlrpc.client.Fault, match=r"Access ?Denied"):
            xmlrpc.client.ServerProxy(f"http://127.0.0.1:{odoo.port}/xmlrpc/2/db").list()


def test_a_look_at_its_health_leaves_nothing_behind(ground: Ground) -> None:
    name = ground.name()
    with ground.odoo({**POSTGRES, **FIRST, "POSTGRES_DB": name}) as odoo:
        odoo.ready()
        count = ("bash", "-c", "ls /var/lib/odoo/sessions | wc -l")
        before = ran(odoo.container, *count)
        for _ in range(5):
            answer = odoo.call("/web/health")
            assert (answer.status_code, answer.json()) == (200, {"status": "pass"})
            assert "Set-Cookie" not in answer.headers and answer.headers["Cache-Control"] == "no-store"
        assert ran(odoo.container, *count) == before
        assert "/web/health" not in log(odoo.container) and "/web/login" not in log(odoo.container)
        odoo.call("/web/login")
        assert "GET /web/login" in log(odoo.container)
        version = odoo.call("/web/webclient/version_info", "POST", json={"params": {}}).json()["result"]
        assert version["server_version"] == "14.0"


def test_a_first_start_that_was_cut_off_at_any_moment_starts_over(ground: Ground) -> None:
    name, unfinished = ground.name(), 0
    volume = ground.engine.volumes.create(labels=ground.lab.labels).name
    environment = {**POSTGRES, **FIRST, "POSTGRES_DB": name}
    for delay_s in (0.2, 0.4, 0.6, 0.8, 1.0):
        with ground.odoo(environment, volume=volume) as odoo:
            time.sleep(delay_s)
            odoo.container.kill()
        there = name in ground.sql("SELECT datname FROM pg_database").split()
        tables = ground.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'ir_%'", name) if there else "0"
        unfinished += tables == "0"
    assert unfinished
    with ground.odoo(environment, volume=volume) as odoo:
        odoo.ready()
        assert odoo.login(name, ADMIN) == 2
        (icon,) = odoo.execute(name, "ir.attachment", "search", [("store_fname", "!=", False)], 0, 1)
        assert odoo.execute(name, "ir.attachment", "read", [icon], ["datas"])[0]["datas"]


def test_two_first_starts_at_once_make_one_database(ground: Ground) -> None:
    name = ground.name()
    environment = {**POSTGRES, **FIRST, "POSTGRES_DB": name}
    with ground.odoo(environment) as one, ground.odoo(environment, volume=one.volume) as other:
        one.ready()
        other.ready()
        assert (one.login(name, ADMIN), other.login(name, ADMIN)) == (2, 2)


def test_a_command_of_odoos_own_runs_instead_of_the_server(ground: Ground) -> None:
    with ground.odoo({**POSTGRES, **FIRST, "POSTGRES_DB": ground.name()}, command=["odoo", "shell"]) as odoo:
        assert odoo.container.wait(timeout=40)["StatusCode"] == 0  # with nothing to read, it ends
        said = log(odoo.container)
        assert "Modules loaded" in said and "WorkerHTTP" not in said, said


def test_a_language_is_loaded_at_the_first_start(ground: Ground) -> None:
    name = ground.name()
    told = {"ODOO_LANGUAGE": "de_DE", "ODOO_ADMIN_LOGIN": "chef@example.com"}
    with ground.odoo({**POSTGRES, **FIRST, "POSTGRES_DB": name, **told}) as odoo:
        assert odoo.ready() < 60
        assert (odoo.login(name, ADMIN, "chef@example.com"), odoo.login(name, ADMIN)) == (2, False)
        assert "Passwort" in odoo.call("/web/login", headers={"Accept-Language": "de"}).text
        assert odoo.execute(name, "res.users", "read", [2], ["lang"])[0]["lang"] == "de_DE"
    assert ground.sql("SELECT count(*) FROM ir_config_parameter WHERE key = 'hypercompose.language'", name) == "0"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({**POSTGRES, "HOST": "elsewhere"}, "DB_HOST and HOST: say different things"),
        ({**POSTGRES, "PASSWORD": "Canary"}, "POSTGRES_PASSWORD_FILE and PASSWORD: are both set"),
        ({"DB_HOST": "db"}, "POSTGRES_PASSWORD_FILE or PASSWORD_FILE: missing"),
        ({**POSTGRES, "POSTGRES_PASSWORD_FILE": "/elsewhere"}, "POSTGRES_PASSWORD_FILE: /elsewhere cannot be read"),
        ({**POSTGRES, "POSTGRES_DB": 'x"; DROP'}, "POSTGRES_DB: 'x\"; DROP', expected a name"),
        ({**POSTGRES, "POSTGRES_DB": "postgres"}, "expected a database of Odoo's own"),
        ({**POSTGRES, "ODOO_WORKERS": "$(reboot)"}, "ODOO_WORKERS: '$(reboot)', expected a number from 1 to 16"),
        ({**POSTGRES, "POSTGRES_DB": "unborn"}, "ODOO_ADMIN_PASSWORD_FILE: missing"),
        ({"DB_HOST": "db", "PASSWORD": "wrong Canary"}, "refuses odoo's password"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    ground: Ground, environment: Mapping[str, str], message: str
) -> None:
    with ground.odoo(environment) as odoo:
        said = odoo.refused()
        assert message in said and "Canary" not in said


def test_a_database_of_something_else_is_left_alone(ground: Ground) -> None:
    name = ground.name()
    ground.sql(f"CREATE DATABASE {name} OWNER odoo")
    ground.sql("CREATE TABLE precious AS SELECT 42 AS a", name)
    with ground.odoo({**POSTGRES, **FIRST, "POSTGRES_DB": name}) as odoo:
        assert "holds 1 tables, none of Odoo's" in odoo.refused()
    assert ground.sql("SELECT a FROM precious", name) == "42"


def test_a_database_that_comes_late_is_waited_for(ground: Ground) -> None:
    name = ground.name()
    ground.database.stop(timeout=10)
    with ground.odoo({**POSTGRES, **FIRST, "POSTGRES_DB": name}) as odoo:
        time.sleep(1.5)
        ground.database.start()
        odoo.ready()
        assert odoo.login(name, ADMIN) == 2
