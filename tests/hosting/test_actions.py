"""What each command of hosting prints, changes and ends with."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hosting import __main__ as command
from hosting import actions
from hosting.desk import Desk, open_desk
from hosting.engine import EngineFailed
from hosting.model import Instance
from hosting.vocabulary import State
from settings.product import load_catalogue
from tests.hosting.ticking import Machines
from tests.hosting.working import Work, work
from tests.hosting.world import DAY, HOSTILE, offer, take, tell
from tests.settings.conftest import lab_site

__all__ = ["lab_site", "work"]
Type = Callable[..., int]


@pytest.fixture
def kind() -> str:
    """One database: on both runs what is below."""
    return "sqlite"


@pytest.fixture
def desk(work: Work, lab_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """On the world of a worker."""
    monkeypatch.setattr(actions, "_now", lambda: work.now)
    monkeypatch.setenv("HYPERCOMPOSE_SITE", "lab")
    found = open_desk("lab", tmp_path, "lab")
    found.__dict__.update(database=work.database, ssh=SimpleNamespace(close=lambda: None), worker=work.worker())
    found.ticker.ssh = Machines()  # type: ignore[assignment]
    tell(work.database)
    work.deploy()
    return found


@pytest.fixture
def type_(desk: Desk, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """A command line, and its exit code."""
    monkeypatch.setattr(command, "open_desk", lambda site, folder, stack: desk)
    monkeypatch.setattr(work.database, "close", lambda: None)
    for name in ("NAME", "PRODUCT", "VERSION", "SIZE", "DAYS", "TENANT", "OWNER", "HOST"):
        monkeypatch.delenv(name, raising=False)

    def run(what: str, *arguments: str, **variables: str) -> int:
        with monkeypatch.context() as here:
            for name, value in variables.items():
                here.setenv(name, value)
            return command.main([what, "--stack", "lab", "--folder", str(tmp_path), *arguments])

    return run


def row(work: Work, name: str = "shop") -> Instance | None:
    with work.database.read() as session:
        return session.query(Instance).filter(Instance.name == name).one_or_none()


def there(work: Work, name: str = "shop") -> Instance:
    found = row(work, name)
    assert found is not None
    return found


def test_a_new_one_is_asked_for_by_variables_of_make_and_runs(type_: Type, work: Work, capsys: Any) -> None:
    assert type_("new", PRODUCT="odoo", NAME="shop", DAYS="3", SIZE="medium", TENANT="acme", OWNER="ann") == 0
    made = there(work)
    assert (made.state, made.size, made.memory_mib, made.tenant, made.owner) == (
        State.RUNNING,
        "medium",
        1536,
        "acme",
        "ann",
    )
    assert made.deadline == work.now + 3 * DAY and [port.name for port in made.ports] == ["web", "websocket"]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "shop: Odoo 14 has been out of support since November 2023"
    assert said[1] == "shop: odoo 14, medium, on lab/app"
    assert said[-1].startswith("shop: running, web http://app.test:20000, websocket http://app.test:20001, until ")


def test_what_is_not_said_is_the_products_and_the_sites(type_: Type, work: Work) -> None:
    assert type_("new", PRODUCT="nginx", NAME="web", OWNER="ann") == 0
    made = there(work, "web")
    assert (made.version, made.size, made.tenant, made.host) == ("1.22", "small", "lab", "lab/app")
    assert made.deadline == work.now + 14 * DAY


def test_ports_that_somebody_has_taken_are_looked_at_before_any_are_given(type_: Type, desk: Desk, work: Work) -> None:
    desk.ticker.ssh.listens["app.test"] = 'L *:20000 users:(("x",pid=1,fd=3))\n'  # type: ignore[attr-defined]
    type_("new", PRODUCT="nginx", NAME="web")
    assert [port.number for port in there(work, "web").ports] == [20001]


def test_one_that_only_is_asked_for_is_left_to_the_ticker(type_: Type, work: Work) -> None:
    assert type_("new", "--no-wait", PRODUCT="nginx", NAME="web") == 0
    assert there(work, "web").state is State.REQUESTED and work.engine.runs == []
    assert type_("tick", "--once") == 0
    assert there(work, "web").state is State.RUNNING


def test_settings_are_given_by_name_and_checked_by_the_product(type_: Type, work: Work, capsys: Any) -> None:
    assert type_("new", "--set", "ODOO_LANGUAGE=de_DE", "--set", "ODOO_ADMIN_LOGIN=a", PRODUCT="odoo", NAME="shop") == 0
    assert there(work).settings == {"ODOO_LANGUAGE": "de_DE", "ODOO_ADMIN_LOGIN": "a"}
    for given in ("ODOO_LANGUAGE=xx", "ODOO_ADMIN_LOGIN=$(reboot)", "ODOO_MEMORY=9999m", "NOTHING=1", "=x", "half"):
        assert type_("new", "--set", given, PRODUCT="odoo", NAME="other") == 1
        assert given.partition("=")[0] in capsys.readouterr().err
    assert row(work, "other") is None


@pytest.mark.parametrize("days", ["0", "-1", "x", "nan", "inf", "$(reboot)", "1e9", "36501"])
def test_days_that_are_none_are_refused(type_: Type, work: Work, capsys: Any, days: str) -> None:
    assert type_("new", PRODUCT="nginx", NAME="web", DAYS=days) == 1
    expected = f"DAYS={days}: expected a number of days above 0, at most 36500, as in DAYS=14\n"
    assert capsys.readouterr().err == expected
    assert row(work, "web") is None


def test_more_days_than_the_site_gives_are_refused(type_: Type, work: Work, capsys: Any) -> None:
    assert type_("new", PRODUCT="nginx", NAME="web", DAYS="400") == 1
    assert "expected at most 366 days" in capsys.readouterr().err


def test_an_extension_without_days_is_refused(type_: Type, desk: Desk, work: Work, capsys: Any) -> None:
    work.running()
    assert type_("extend", NAME="shop") == 1
    assert "DAYS=: expected a number of days" in capsys.readouterr().err


@pytest.mark.parametrize("product", ["", "wordpress", "../odoo", *HOSTILE])
def test_a_product_that_is_not_there_is_told_with_those_that_are(type_: Type, capsys: Any, product: str) -> None:
    assert type_("new", PRODUCT=product, NAME="shop") == 1
    expected = f"PRODUCT={product}: expected one of {', '.join(load_catalogue())}; compose/ holds the catalogue\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"VERSION": "99"}, 'version: "99", expected one of 1.22'),
        ({"SIZE": "$(reboot)"}, 'size: "$(reboot)", expected one of small, medium'),
        ({"HOST": "elsewhere"}, "none of 0 has room"),
        *(({"NAME": text}, "name: ") for text in (*HOSTILE, "", "A", "-a", "a" * 41)),
        *(({"TENANT": text}, f"TENANT={text}: expected ") for text in (*HOSTILE, " ")),
        *(({"OWNER": text}, "owner: ") for text in ("a\nb", "x" * 201)),
    ],
)
def test_what_cannot_be_is_refused_by_field_and_leaves_nothing(
    type_: Type, work: Work, capsys: Any, variables: dict[str, str], said: str
) -> None:
    assert type_("new", **{"PRODUCT": "nginx", "NAME": "web", **variables}) == 1
    assert said in capsys.readouterr().err
    with work.database.read() as session:
        assert session.query(Instance).count() == 0
    assert work.ports() == [] and work.engine.runs == []


@pytest.mark.parametrize(
    "what",
    ["show", "history", "secrets", "stop", "start", "extend", "resize", "delete", "preview", "drift"],
)
def test_a_name_that_is_not_there_is_told_with_those_that_are(type_: Type, work: Work, capsys: Any, what: str) -> None:
    expected = "NAME=$(reboot): no such instance, expected one of: {}; `make instances` lists them\n"
    assert type_(what, NAME="$(reboot)", DAYS="1") == 1
    assert capsys.readouterr().err == expected.format("none is there")
    for name in "cab":
        work.asked(name)
    assert type_(what, NAME="$(reboot)", DAYS="1") == 1
    assert capsys.readouterr().err == expected.format("a, b, c")


def test_many_names_are_not_all_told(type_: Type, desk: Desk, work: Work, capsys: Any) -> None:
    for number in range(11):
        work.asked(f"n{number:02}")
    type_("stop", NAME="x")
    assert "n00, n01, n02, n03, n04, n05, n06, n07 and 3 more;" in capsys.readouterr().err


def test_stop_start_resize_and_extend_change_row_and_world(type_: Type, work: Work, capsys: Any) -> None:
    type_("new", PRODUCT="nginx", NAME="shop", DAYS="3")
    assert type_("stop", NAME="shop") == 0
    assert there(work).state is State.STOPPED
    assert type_("start", NAME="shop") == 0
    assert work.stacks.done == ["stop", "start"]
    assert type_("resize", "--set", "NGINX_LOG_LEVEL=info", NAME="shop", SIZE="medium") == 0
    changed = there(work)
    assert (changed.size, changed.memory_mib, changed.version) == ("medium", 64, "1.22")
    assert changed.settings == {"NGINX_LOG_LEVEL": "info"} and work.engine.done == ["up", "up"]
    assert type_("extend", NAME="shop", DAYS="0.5") == 0
    assert there(work).deadline == work.now + 3.5 * DAY
    assert type_("delete", NAME="shop") == 0
    assert row(work) is None and capsys.readouterr().out.splitlines()[-1] == "shop: gone"


def test_a_resize_keeps_what_is_not_said_and_refuses_what_cannot_be(type_: Type, work: Work, capsys: Any) -> None:
    type_("new", "--set", "ODOO_LANGUAGE=de_DE", PRODUCT="odoo", NAME="shop")
    assert type_("resize", NAME="shop", VERSION="99") == 1
    assert 'version: "99"' in capsys.readouterr().err
    assert type_("resize", "--set", "ODOO_LOG_LEVEL=debug", NAME="shop") == 0
    assert there(work).settings == {"ODOO_LANGUAGE": "de_DE", "ODOO_LOG_LEVEL": "debug"}


def test_what_fails_is_told_and_is_the_exit_code(type_: Type, work: Work, capsys: Any) -> None:
    work.engine.fails(EngineFailed("up of shop: no\nregistry"))
    assert type_("new", PRODUCT="nginx", NAME="shop") == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith(": up of shop: no registry")


def test_one_that_somebody_works_on_is_told_to_be_so(type_: Type, work: Work, capsys: Any) -> None:
    instance = work.running()
    take(work.database, instance, holder="ticker@vm")
    assert type_("stop", NAME="shop") == 0
    assert "shop: ticker@vm works on it" in capsys.readouterr().out


def test_volumes_that_are_to_stay_stay(type_: Type, work: Work) -> None:
    work.running()
    assert type_("delete", "--keep-volumes", NAME="shop") == 0
    assert [(what, order.keep_volumes) for what, order in work.engine.runs] == [("destroy", True)]


def test_one_whose_host_is_gone_can_be_forgotten(type_: Type, work: Work, capsys: Any) -> None:
    work.running()
    work.places.clear()
    assert type_("delete", "--abandon", NAME="shop") == 0
    assert work.engine.done == ["abandon"] and row(work) is None


def test_a_list_is_a_table_or_json(type_: Type, work: Work, capsys: Any) -> None:
    work.running()
    assert type_("list") == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("shop  odoo     small  running  lab/app")
    assert type_("list", "--json") == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["shop"]


def test_one_is_shown_as_json_with_what_its_stack_tells(
    type_: Type, work: Work, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.running()
    monkeypatch.setattr(work.engine, "run", lambda what, order: {what: {"urls": {"web": "http://x"}}})
    assert type_("show", NAME="shop") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["told"]) == ("shop", {"urls": {"web": "http://x"}})
    assert type_("secrets", NAME="shop") == 0
    assert json.loads(capsys.readouterr().out) == {"urls": {"web": "http://x"}}


def test_its_history_is_told_also_when_it_is_gone_one_line_each(type_: Type, work: Work, capsys: Any) -> None:
    work.running()
    work.engine.fails(EngineFailed("no\nroom\x1b[31m"))
    type_("delete", NAME="shop", OWNER="$(reboot)")
    work.wish("delete")
    work.worker().settle(there(work).id)
    capsys.readouterr()
    assert type_("history", NAME="shop") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split("  ")[1].strip() == "deleted" and said[-1].split("  ")[1].strip() == "requested"
    assert any("no room" in line for line in said) and not any("\x1b" in line for line in said)
    assert len(said) == 6


@pytest.mark.parametrize(("changes", "preview", "drift"), [({}, 0, 0), ({"i-shop": "update"}, 0, 2)])
def test_drift_is_an_exit_code_and_a_preview_is_not(
    type_: Type,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    preview: int,
    drift: int,
) -> None:
    work.running()
    monkeypatch.setattr(work.engine, "run", lambda what, order, say: {"changes": changes})
    assert (type_("preview", NAME="shop"), type_("drift", NAME="shop")) == (preview, drift)


def test_one_that_is_stopped_is_compared_with_one_that_is_stopped(type_: Type, work: Work) -> None:
    work.running()
    type_("stop", NAME="shop")
    assert type_("drift", NAME="shop") == 0
    assert [(what, order.run) for what, order in work.engine.runs] == [("preview", "stopped")]


def test_an_environment_with_instances_is_guarded_and_others_are_not(type_: Type, work: Work, capsys: Any) -> None:
    assert type_("guard") == 0
    work.asked("shop")
    assert type_("guard") == 1
    assert "stack lab: shop is on its hosts; `make instance-delete NAME=…` first" in capsys.readouterr().out
    work.asked("other")
    assert type_("guard") == 1
    assert "other, shop are on its hosts" in capsys.readouterr().out


def test_instances_of_another_environment_guard_nothing_here(type_: Type, desk: Desk, work: Work, capsys: Any) -> None:
    tell(work.database, offer("lab-2/app", address="other.test"))
    work.asked("shop", host="lab-2/app")
    assert type_("guard") == 0


def test_the_unit_names_checkout_stack_and_site(type_: Type, capsys: Any) -> None:
    assert type_("unit") == 0
    said = capsys.readouterr().out
    assert "ExecStart=/usr/bin/make -s hosting-ticker STACK=lab SITE=lab\n" in said
    assert f"WorkingDirectory={Path(actions.__file__).parents[1]}\n" in said


def test_a_ctrl_c_is_told_in_a_sentence(type_: Type, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "ACTIONS", {**command.ACTIONS, "list": interrupted})
    assert type_("list") == 130
    assert "interrupted; the same command goes on with it" in capsys.readouterr().err


def test_the_ticker_ends_when_it_is_told_to(type_: Type, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    seen: list[tuple[bool, float]] = []

    def run(ended: threading.Event, every_s: float) -> None:
        signal.raise_signal(signal.SIGTERM)
        seen.append((ended.is_set(), every_s))

    monkeypatch.setattr(desk.ticker, "run", run)
    try:
        assert type_("tick", "--every", "2.5") == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert seen == [(True, 2.5)]


def test_now_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    assert abs(actions._now() - datetime.now(UTC)).total_seconds() < 60
