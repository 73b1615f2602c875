"""What Odoo's image reads of its environment, and what it writes for Odoo, without a container."""

from __future__ import annotations

import configparser
import importlib.util
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lab.services.own_images import FOLDER

START = FOLDER / "odoo" / "start"
HOSTILE = ['it\'s a "quoted" one', r"back\slash: $(reboot) `id`", " spaces ", "False", "ünï ☃ 🐘", "%(x)s;# [a]", "::"]


def load(name: str) -> ModuleType:
    """A file of the image as Python there sees it: in a package called `start`."""
    if "odoo_start" not in sys.modules:
        _load("odoo_start", START / "__init__.py", [str(START)])
    return sys.modules.get(f"odoo_start.{name}") or _load(f"odoo_start.{name}", START / f"{name}.py")


def _load(name: str, file: Path, folders: list[str] | None = None) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    assert spec and spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


contract, configuration = load("contract"), load("configuration")
Refused: type[Exception] = load("refusal").Refused


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("Canary\n")
    return file


def refused(environ: Mapping[str, str]) -> str:
    with pytest.raises(Refused) as raised:
        contract.settings(environ)
    said = str(raised.value)
    assert "Canary" not in said and "\n" not in said
    return said


def test_both_contracts_mean_the_same(secret: Path) -> None:
    ours = {"DB_HOST": "pg", "DB_PORT": "5433", "POSTGRES_USER": "shop", "POSTGRES_PASSWORD_FILE": str(secret)}
    official = {"HOST": "pg", "PORT": "5433", "USER": "shop", "PASSWORD_FILE": str(secret)}
    found = contract.settings(ours)
    assert found == contract.settings(official) == contract.settings({**ours, **official, "PASSWORD_FILE": ""})
    assert (found.host, found.port, found.user, found.password, found.database) == (
        "pg",
        5433,
        "shop",
        "Canary",
        "odoo",
    )
    assert (found.workers, found.proxy, found.language, found.admin_login) == (2, False, "en_US", "admin")


def test_a_password_alone_is_enough_and_is_never_shown() -> None:
    found = contract.settings({"PASSWORD": "Canary", "ODOO_ADMIN_PASSWORD": "Canary"})
    assert (found.host, found.port, found.user) == ("db", 5432, "odoo")
    assert "Canary" not in repr(found)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"HOST": "a b"}, "HOST: 'a b', expected a host's name; set it to one"),
        ({"DB_HOST": "$(reboot)"}, "DB_HOST: '$(reboot)'"),
        ({"DB_PORT": "0"}, "DB_PORT: '0', expected a number from 1 to 65535"),
        ({"PORT": "5432\n"}, "PORT: "),
        ({"PORT": "\u0665"}, "PORT: "),
        ({"PORT": "1", "DB_PORT": "2"}, "DB_PORT and PORT: say different things"),
        ({"USER": "x'; DROP"}, "USER: "),
        ({"POSTGRES_USER": "a" * 64}, "POSTGRES_USER: "),
        ({"POSTGRES_DB": "template1"}, "POSTGRES_DB: 'template1', expected a database of Odoo's own"),
        ({"POSTGRES_DB": ".*"}, "POSTGRES_DB: '.*'"),
        ({"ODOO_LANGUAGE": "../x"}, "ODOO_LANGUAGE: '../x', expected one of en_US"),
        ({"ODOO_WORKERS": "0"}, "ODOO_WORKERS: '0', expected a number from 1 to 16"),
        ({"ODOO_PROXY": "yes"}, "ODOO_PROXY: 'yes', expected one of true, false"),
        ({"ODOO_LOG_LEVEL": "info\nlist_db = True"}, "ODOO_LOG_LEVEL: "),
        ({"ODOO_ADMIN_LOGIN": "a b"}, "ODOO_ADMIN_LOGIN: "),
        ({"POSTGRES_PASSWORD": "Canary2"}, "POSTGRES_PASSWORD and PASSWORD: are both set"),
        ({"ODOO_ADMIN_PASSWORD": "two\nlines Canary"}, "ODOO_ADMIN_PASSWORD: holds a control character"),
        ({"ODOO_ADMIN_PASSWORD_FILE": "/nowhere"}, "ODOO_ADMIN_PASSWORD_FILE: /nowhere cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_is_expected(environ: dict[str, str], message: str) -> None:
    assert message in refused({"PASSWORD": "Canary", **environ})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"Canary\n\n", "holds a control character or a line end"),
        (b"Canary\x07", "holds a control character"),
        (b"\xff\xfeCanary", "is not text in UTF-8"),
    ],
)
def test_a_secret_file_that_is_no_line_is_refused_without_showing_it(
    secret: Path, content: bytes, message: str
) -> None:
    secret.write_bytes(content)
    assert message in refused({"PASSWORD_FILE": str(secret)})


def settings(**more: str) -> Any:
    return contract.settings({"PASSWORD": "Canary", "POSTGRES_DB": "shop-1", **more})


def test_the_configuration_is_for_odoo_alone_and_holds_no_password(tmp_path: Path) -> None:
    configuration.write(settings(), tmp_path, FOLDER / "odoo" / "odoo.conf")
    for name in ("odoo.conf", "pgpass"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    read = configparser.RawConfigParser()
    read.read(tmp_path / "odoo.conf")
    found = dict(read["options"])
    assert "Canary" not in (tmp_path / "odoo.conf").read_text()
    assert (found["list_db"], found["dbfilter"], found["db_name"]) == ("False", "^shop-1$", "shop-1")
    assert re.fullmatch(r"[0-9a-f]{64}", found["admin_passwd"]) and found["proxy_mode"] == "False"


def test_it_is_written_anew_at_every_start(tmp_path: Path) -> None:
    for workers in ("2", "4"):
        configuration.write(settings(ODOO_WORKERS=workers), tmp_path, FOLDER / "odoo" / "odoo.conf")
        assert f"workers = {workers}\n" in (tmp_path / "odoo.conf").read_text()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"odoo.conf: cannot be written \(.*\), expected a tmpfs at .*; mount one"):
        configuration.write(settings(), tmp_path / "nowhere", FOLDER / "odoo" / "odoo.conf")


@pytest.mark.parametrize("password", HOSTILE)
def test_a_password_reaches_libpq_as_it_is(password: str) -> None:
    line = configuration.passfile(settings(PASSWORD=password))
    assert line.startswith("*:*:*:*:") and line.endswith("\n")
    assert re.sub(r"\\(.)", r"\1", line.removeprefix("*:*:*:*:").removesuffix("\n")) == password
    assert not re.search(r"(?<!\\)(?:\\\\)*:", line.removeprefix("*:*:*:*:"))
