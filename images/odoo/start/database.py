"""The database of an instance: waited for, and made once from the image's template, whole or not at all."""

from __future__ import annotations

import gzip
import os
import shutil
import time
import uuid
from pathlib import Path

import psycopg2
from passlib.hash import pbkdf2_sha512

from .contract import Settings
from .refusal import Refused

TEMPLATE = Path("/usr/local/lib/odoo/template")
DATA = Path("/var/lib/odoo")
WAIT_S = 60.0
LANGUAGE = "hypercompose.language"
"""Parameter that is there from the restore until the language is in."""
_LOCK = 0x0D00
"""One restore at a time, also of two containers."""


def prepare(settings: Settings) -> str:
    """The database is there, with Odoo in it; the language that is still to be loaded, if any. Raises Refused."""
    _writable()
    connection = opened(settings, settings.database)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            if not _has_odoo(cursor, settings):
                _restore(cursor, settings)
            cursor.execute("SELECT value FROM public.ir_config_parameter WHERE key = %s", (LANGUAGE,))
            row = cursor.fetchone()
    except psycopg2.Error as error:
        raise Refused(f"{settings.database}: cannot be made ready: {_said(error)}") from None
    finally:
        connection.close()
    return row[0] if row else ""


def language_loaded(settings: Settings, language: str) -> None:
    """The people who are there already see it, and it is not loaded again."""
    connection = opened(settings, settings.database)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE public.res_partner SET lang = %s WHERE lang IS NOT NULL OR id IN (1, 2, 3)", (language,))
        cursor.execute("DELETE FROM public.ir_config_parameter WHERE key = %s", (LANGUAGE,))
    connection.close()


def opened(settings: Settings, database: str):  # noqa: ANN201 - psycopg2 of the image has no types
    """A connection, as soon as the server lets us in; a database that is not there is made."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            return psycopg2.connect(
                host=settings.host,
                port=settings.port,
                user=settings.user,
                password=settings.password,
                dbname=database,
                connect_timeout=5,
                application_name="odoo-start",
            )
        except psycopg2.OperationalError as error:
            said = _said(error)
            if f'database "{database}" does not exist' in said:
                _create(settings, database)
            elif "authentication failed" in said or "no password supplied" in said:
                raise Refused(
                    f"{settings.host}:{settings.port}: refuses {settings.user}'s password; is it the database's?"
                ) from None
            elif time.monotonic() > deadline:
                where = f"{settings.host}:{settings.port}"
                raise Refused(f"{where}: no database answers within {WAIT_S:.0f} s ({said}); start it") from None
            time.sleep(0.25)


def _create(settings: Settings, database: str) -> None:
    connection = opened(settings, "postgres")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE \"{database}\" ENCODING 'UTF8' TEMPLATE template0")
    except psycopg2.errors.DuplicateDatabase:
        return
    except psycopg2.Error as error:
        raise Refused(f"{database}: is not there and {settings.user} cannot make it ({_said(error)})") from None
    finally:
        connection.close()


def _has_odoo(cursor, settings: Settings) -> bool:  # noqa: ANN001
    cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
    tables = {row[0] for row in cursor.fetchall()}
    if tables and "ir_module_module" not in tables:
        raise Refused(
            f"{settings.database}: holds {len(tables)} tables, none of Odoo's; expected an empty one, so name another"
        )
    return bool(tables)


def _restore(cursor, settings: Settings) -> None:  # noqa: ANN001
    """The template as a new database: its own identity, its own administrator."""
    if settings.admin_password is None:
        raise Refused(
            "ODOO_ADMIN_PASSWORD_FILE: missing, expected the file with the password of the first user; mount one"
        )
    _copy_files(DATA / "filestore" / settings.database)
    with gzip.open(TEMPLATE / "database.sql.gz", "rt", encoding="utf-8") as dump:
        cursor.execute(dump.read())
    for key in ("database.secret", "database.uuid"):
        _parameter(cursor, key, str(uuid.uuid4()))
    cursor.execute(
        "UPDATE public.ir_config_parameter SET value = (now() AT TIME ZONE 'UTC')::timestamp(0)::text"
        " WHERE key = 'database.create_date'"
    )
    hashed = pbkdf2_sha512.hash(settings.admin_password)
    cursor.execute("UPDATE public.res_users SET login = %s, password = %s WHERE id = 2", (settings.admin_login, hashed))
    if settings.language != "en_US":
        _parameter(cursor, LANGUAGE, settings.language)


def _parameter(cursor, key: str, value: str) -> None:  # noqa: ANN001
    cursor.execute(
        "INSERT INTO public.ir_config_parameter (key, value, create_uid, create_date, write_uid, write_date)"
        " VALUES (%s, %s, 1, now(), 1, now()) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def _copy_files(there: Path) -> None:
    """The files' names are hashes of what is in them, so a copy that was cut off is simply made again."""
    for file in sorted(path for path in (TEMPLATE / "filestore").rglob("*") if path.is_file()):
        target = there / file.relative_to(TEMPLATE / "filestore")
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())


def _writable() -> None:
    if not os.access(DATA, os.W_OK | os.X_OK):
        raise Refused(f"{DATA}: cannot be written by uid {os.getuid()}; its volume must belong to that uid")


def _said(error: psycopg2.Error) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
