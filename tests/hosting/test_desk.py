"""What the commands of hosting work with: whose database, which rules, and that it is all given back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from hosting import desk as module
from hosting.desk import DATABASE_VARIABLE, open_desk
from hosting.errors import DatabaseRefused
from settings import SettingsError
from tests.hosting.orders import order
from tests.hosting.world import ask, tell
from tests.settings.conftest import lab_site

__all__ = ["lab_site"]


def change(site: Path, **hosting: Any) -> None:
    site.write_text(yaml.safe_dump({**yaml.safe_load(site.read_text()), "hosting": hosting}))


def test_rows_are_in_a_file_of_the_site_that_its_owner_alone_reads(lab_site: Path, tmp_path: Path) -> None:
    desk = open_desk("lab", tmp_path, "lab")
    tell(desk.database)
    ask(desk.database)
    desk.close()
    file = tmp_path / "hosting.db"
    assert file.stat().st_mode & 0o777 == 0o600
    again = open_desk("lab", tmp_path, "lab")
    with again.database.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM instances").scalar() == 1
    again.close()


def test_a_database_of_the_site_wins_over_the_file_and_a_variable_over_both(
    lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def refuse(url: str) -> None:
        opened.append(url)
        raise DatabaseRefused("no")

    monkeypatch.setattr(module, "open_database", refuse)
    change(lab_site, database="postgresql://site@/x")
    for variable in ("", "postgresql://variable@/x"):
        monkeypatch.setenv(DATABASE_VARIABLE, variable)
        desk = open_desk("lab", tmp_path, "lab")
        with pytest.raises(DatabaseRefused):
            _ = desk.database
        desk.close()
    assert opened == ["postgresql://site@/x", "postgresql://variable@/x"]
    assert not (tmp_path / "hosting.db").exists()


def test_time_limits_are_the_sites(lab_site: Path, tmp_path: Path) -> None:
    change(lab_site, warn_hours=2, grace_days=3, backup_hours=5, final_backup=False, stops_per_tick=4)
    ticker = open_desk("lab", tmp_path, "lab", "lab-2").ticker
    assert (ticker.cap, ticker.environments) == (4, ("lab", "lab-2"))
    assert (ticker.policy.warn_before, ticker.policy.grace) == (timedelta(hours=2), timedelta(days=3))
    assert (ticker.policy.backup_before, ticker.policy.needs_backup) == (timedelta(hours=5), False)


def test_projects_of_instances_are_below_the_sites_folder(lab_site: Path, tmp_path: Path) -> None:
    worker = open_desk("lab", tmp_path, "lab").worker
    assert worker.engine.folder == tmp_path / "instances"
    assert worker.site == "lab" and ", process " in worker.holder


def test_a_product_says_how_long_it_takes_and_whether_its_data_is_worth_a_backup(
    lab_site: Path, tmp_path: Path
) -> None:
    catalogue = open_desk("lab", tmp_path, "lab").worker.catalogue
    assert catalogue.ready_s(order("odoo")) == 270
    assert catalogue.has_final_backup(order("odoo"))


def test_an_environment_is_asked_once_in_a_while_and_not_for_each_instance(
    lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, now = list[str](), [100.0]

    def read(name: str) -> str:
        asked.append(name)
        return f"{name} {len(asked)}"

    monkeypatch.setattr(module, "read_environment", read)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    environment: Any = open_desk("lab", tmp_path, "lab").worker.environment
    assert [environment("lab"), environment("lab"), environment("dev")] == ["lab 1", "lab 1", "dev 2"]
    now[0] += module.FRESH_S + 1
    assert environment("lab") == "lab 3"


def test_a_site_that_is_not_there_is_told(lab_site: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        open_desk("nowhere", tmp_path, "lab")


def test_closing_what_was_never_used_makes_nothing(lab_site: Path, tmp_path: Path) -> None:
    open_desk("lab", tmp_path, "lab").close()
    assert not (tmp_path / "hosting.db").exists()
