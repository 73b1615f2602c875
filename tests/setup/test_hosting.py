"""Commands of hosting in a session: what is run, how it ends, and that environments with instances stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from setup import driver
from setup import hosting as module
from setup.hosting import COMMANDS, HOSTING, refuse_instances
from setup.report import SetupError
from setup.session import Session
from setup.sites import read_site
from tests.setup.checkout import checkout
from tests.setup.state.states import lab_session


class Modules:
    """Modules of the checkout that were run, and how they end."""

    def __init__(self) -> None:
        self.ran: list[Sequence[str]] = []
        self.code = 0
        self.lab: list[Sequence[str]] = []

    def python(self, session: Session, *line: str) -> int:
        self.ran.append(line)
        return self.code


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Modules:
    found = Modules()
    monkeypatch.setattr(module, "python", found.python)
    monkeypatch.setattr(module, "lab", lambda session, *line: found.lab.append(line))
    return found


@pytest.fixture
def session(tmp_path: Path) -> Session:
    found = lab_session(tmp_path)
    found.site.folder.mkdir(parents=True, exist_ok=True)
    return found


@pytest.mark.parametrize("code", [0, 1, 2, 130])
@pytest.mark.parametrize("target", HOSTING)
def test_every_command_runs_hosting_for_stack_and_folder_and_passes_its_exit_code_on(
    modules: Modules, session: Session, target: str, code: int
) -> None:
    modules.code = code
    assert HOSTING[target](session, ["--json", "$(reboot)"]) == code
    about = ("--stack", session.stack, "--folder", str(session.site.folder))
    assert modules.ran == [("hosting", COMMANDS.get(target, "new"), *about, "--json", "$(reboot)")]


def test_every_command_is_one_of_make() -> None:
    makefile = (Path(module.__file__).parents[1] / "Makefile").read_text()
    assert set(HOSTING) <= set(driver.COMMANDS)
    assert all(f"\n{target}: ## " in makefile for target in HOSTING)


@pytest.mark.parametrize(
    ("product", "images"),
    [
        ("odoo", ("odoo", "postgres")),
        ("nginx", ("nginx",)),
        *((product, ()) for product in ("", "guestbook/../odoo", "../compose/odoo", "$(reboot)", "none")),
    ],
)
def test_a_lab_has_the_images_of_a_product_before_an_instance_of_it(
    modules: Modules, session: Session, monkeypatch: pytest.MonkeyPatch, product: str, images: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PRODUCT", product)
    assert HOSTING["instance-new"](session, []) == 0
    assert modules.lab == [("up", *images)] and len(modules.ran) == 1


def test_where_nobody_ever_asked_for_an_instance_nobody_is_asked(modules: Modules, session: Session) -> None:
    refuse_instances(session)
    assert modules.ran == [] and not (session.site.folder / module.DATABASE).exists()


def refused(session: Session) -> str:
    with pytest.raises(SetupError) as raised:
        refuse_instances(session)
    return str(raised.value)


def test_an_environment_with_instances_is_not_destroyed(modules: Modules, session: Session) -> None:
    (session.site.folder / module.DATABASE).touch()
    refuse_instances(session)
    modules.code = 1
    assert refused(session) == f"stack {session.stack} was left as it is."
    assert [line[1] for line in modules.ran] == ["guard", "guard"]


def test_nor_is_one_whose_rows_are_elsewhere_by_the_site(modules: Modules, session: Session) -> None:
    modules.code = 1
    elsewhere = replace(session, site=replace(session.site, database="postgresql://hosting@db/hosting"))
    assert "was left as it is" in refused(elsewhere)


def test_nor_is_one_whose_rows_are_elsewhere_by_a_variable(
    modules: Modules, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules.code = 1
    monkeypatch.setenv(module.DATABASE_VARIABLE, "postgresql://hosting@db/hosting")
    assert "was left as it is" in refused(session)


def test_a_variable_among_the_sites_credentials_counts_as_well(
    modules: Modules, session: Session, tmp_path: Path
) -> None:
    modules.code = 1
    credentials = tmp_path / "credentials.env"
    credentials.write_text(f"export {module.DATABASE_VARIABLE}=postgresql://hosting@db/hosting\n")
    credentials.chmod(0o600)
    assert "was left as it is" in refused(replace(session, site=replace(session.site, credentials=credentials)))


def test_a_destroy_asks_before_it_writes_anything(
    modules: Modules, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    (session.site.folder / module.DATABASE).touch()
    modules.code = 1
    monkeypatch.setattr(driver, "lab", lambda *_: 0, raising=False)
    monkeypatch.setattr(driver, "usable", lambda _: object())
    monkeypatch.setattr(driver, "_refuse_protected", lambda *_: None)
    for name in ("_ready_to_write", "_settle", "_write"):
        monkeypatch.setattr(driver, name, lambda *_: pytest.fail("something was written"))
    with pytest.raises(SetupError, match="was left as it is"):
        driver.down(session, [])


@pytest.mark.parametrize("said", ["", "hosting: {}", "hosting:", "hosting: {database: null, grace_days: 3}"])
def test_a_site_without_a_database_of_its_own_has_none(tmp_path: Path, said: str) -> None:
    folder = checkout(tmp_path)
    with (folder / "sites" / "main.yaml").open("a") as file:
        file.write(f"{said}\n")
    assert read_site("main", folder).database is None


def test_a_site_says_where_its_rows_are(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    with (folder / "sites" / "main.yaml").open("a") as file:
        file.write("hosting: {database: 'postgresql://hosting@db/hosting'}\n")
    assert read_site("main", folder).database == "postgresql://hosting@db/hosting"
