"""The loop over all stacks of a host: when each is looked at, and that none stands in another's way."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provisioning.gate import service as module
from provisioning.gate.config import Folders
from provisioning.gate.service import Service, forget, rollout, salt
from provisioning.gate.state import Busy, Refused, State, Store, Trying
from tests.provisioning.gate.world import FakeEngine, version, write

PATIENCE_S = 5


class FakeStore:
    def __init__(self, works: FakeWorks) -> None:
        self._works = works

    def load(self) -> State:
        return self._works.state

    @contextmanager
    def alone(self, *, wait: bool) -> Iterator[None]:
        if self._works.busy:
            raise Busy("another run works on it now")
        yield


class FakeWorks:
    """Notes what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.state, self.busy = State(), False
        self.store = FakeStore(self)
        self.on_turn: Callable[[], None] = lambda: None
        self.stack: Any = None

    def turn(self, by: str, *, retry: bool = True) -> State:
        self.asked.append(by if retry else f"{by} without retry")
        self.on_turn()
        return self.state

    def probe(self, state: State) -> State:
        self.asked.append("probe")
        return state

    def look_at_tags(self, state: State, by: str) -> State:
        self.asked.append("tags")
        return state


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeWorks]:
    found: dict[str, FakeWorks] = {}

    def made(folders: Folders, name: str, tell: Callable[[str], None]) -> FakeWorks:
        each = found.setdefault(name, FakeWorks())
        each.stack = folders.stack(name)
        return each

    monkeypatch.setattr(module, "rollout", made)
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


def go(service: Service, clock: Clock, seconds: float) -> None:
    """The loop without its threads, a beat at a time."""
    for _ in range(int(seconds)):
        for name in service._due():
            service._turn(name)
        clock.now += 1


def test_every_stack_is_looked_at_at_its_own_interval(
    folders: Folders, works: dict[str, FakeWorks], clock: Clock
) -> None:
    write(folders, name="often", interval_s=5)
    write(folders, name="seldom", interval_s=50)
    go(Service(folders), clock, 100)
    often = [asked for asked in works["often"].asked if asked == "poll"]
    assert 15 <= len(often) <= 20 and works["seldom"].asked == ["poll", "poll"]
    assert 3 <= works["often"].asked.count("tags") <= 4


def test_without_an_interval_it_is_looked_at_at_the_start_and_when_somebody_knocks(
    folders: Folders, works: dict[str, FakeWorks], clock: Clock
) -> None:
    write(folders, interval_s=0)
    service = Service(folders)
    go(service, clock, 1000)
    assert works["shop"].asked == ["poll"]
    assert service.hook("Canary-hook")
    go(service, clock, 2)
    assert works["shop"].asked == ["poll", "webhook"]


def test_another_interval_counts_soon(folders: Folders, works: dict[str, FakeWorks], clock: Clock) -> None:
    write(folders, interval_s=86_400)
    service = Service(folders)
    go(service, clock, 20)
    write(folders, interval_s=15)
    go(service, clock, 11)
    assert works["shop"].asked == ["poll", "poll"]


def test_a_knock_is_heard_at_once_and_once(folders: Folders, works: dict[str, FakeWorks], clock: Clock) -> None:
    write(folders, interval_s=600)
    service = Service(folders)
    go(service, clock, 2)
    assert service.hook("Canary-hook") and service.hook("Canary-hook")
    go(service, clock, 5)
    assert works["shop"].asked == ["poll", "webhook"]


@pytest.mark.parametrize("token", ["", "canary-hook", "Canary-hook ", "ünï", "../x"])
def test_a_hook_of_nobody_changes_nothing(folders: Folders, token: str) -> None:
    write(folders)
    write(folders, name="without", hook="")
    assert not Service(folders).hook(token)


def test_a_knock_while_it_is_worked_on_is_heard_afterwards(
    folders: Folders, works: dict[str, FakeWorks], clock: Clock
) -> None:
    write(folders, interval_s=600)
    service = Service(folders)
    go(service, clock, 1)
    works["shop"].busy = True
    service.hook("Canary-hook")
    go(service, clock, 5)
    assert works["shop"].asked == ["poll"]
    works["shop"].busy = False
    go(service, clock, 2)
    assert works["shop"].asked == ["poll", "webhook"]


def test_what_is_on_its_way_is_looked_at_each_second(
    folders: Folders, works: dict[str, FakeWorks], clock: Clock
) -> None:
    write(folders, interval_s=600)
    works["shop"] = FakeWorks()
    works["shop"].state = State(trying=Trying(version=version(), back=True))
    go(Service(folders), clock, 10)
    assert works["shop"].asked.count("poll") >= 9


@pytest.mark.parametrize(("age_s", "is_probed"), [(10, True), (120, False), (-3600, False)])
def test_what_has_become_good_is_looked_at_for_a_minute(
    folders: Folders, works: dict[str, FakeWorks], clock: Clock, age_s: int, is_probed: bool
) -> None:
    write(folders, interval_s=600)
    works["shop"] = FakeWorks()
    since = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat(timespec="seconds")
    works["shop"].state = State(good=version(), since=since)
    go(Service(folders), clock, 20)
    assert (works["shop"].asked.count("probe") >= 15) is is_probed


def test_what_was_refused_is_tried_again_more_and_more_seldom(
    folders: Folders, works: dict[str, FakeWorks], clock: Clock
) -> None:
    write(folders, interval_s=10)
    works["shop"] = found = FakeWorks()
    found.state = State(refused=Refused(commit="c", key="k", reason="r", again=True))

    def once_more() -> None:
        if "without" not in found.asked[-1] and found.state.refused:
            refused = replace(found.state.refused, tries=found.state.refused.tries + 1)
            found.state = replace(found.state, refused=refused)

    found.on_turn = once_more
    service = Service(folders)
    go(service, clock, 3000)
    assert 5 <= found.asked.count("poll") <= 12 and found.asked.count("poll without retry") > 200
    service.hook("Canary-hook")
    go(service, clock, 2)
    assert found.asked[-1] == "webhook"


def test_a_stack_that_fails_or_has_broken_settings_is_in_nobodys_way(
    folders: Folders, works: dict[str, FakeWorks], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a-broken", "b-fails", "c-well"):
        write(folders, name=name, interval_s=60, hook=f"hook of {name}")
    folders.file_of("a-broken").write_text('{"name": "a-broken", "hook": "Canary-hook"}')
    works["b-fails"] = FakeWorks()

    def fails() -> None:
        raise RuntimeError("no such thing")

    works["b-fails"].on_turn = fails
    service = Service(folders)
    with caplog.at_level(logging.ERROR):
        go(service, clock, 25)
    assert works["c-well"].asked == ["poll"] and works["b-fails"].asked == ["poll"] * 3
    assert "b-fails: no such thing" in caplog.text and "written for another version of the gate" in caplog.text
    assert service.hook("hook of c-well") and not service.hook("Canary-hook")


def test_one_that_is_removed_is_forgotten_and_may_come_again(
    folders: Folders, works: dict[str, FakeWorks], clock: Clock
) -> None:
    write(folders, interval_s=600)
    service = Service(folders)
    go(service, clock, 2)
    folders.file_of("shop").unlink()
    go(service, clock, 2)
    write(folders, interval_s=600)
    go(service, clock, 2)
    assert works["shop"].asked == ["poll", "poll"]


def test_the_loop_beats_goes_on_at_a_knock_and_ends_when_told(
    folders: Folders, works: dict[str, FakeWorks], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT_S", 60.0)
    write(folders, interval_s=600)
    service, over = Service(folders), threading.Event()
    thread = threading.Thread(target=service.run, args=(over,), daemon=True)
    thread.start()
    _until(lambda: works.get("shop") is not None and works["shop"].asked == ["poll"])
    began = service.beat
    service.hook("Canary-hook")
    _until(lambda: works["shop"].asked == ["poll", "webhook"])
    assert service.beat > began
    over.set()
    service._wake.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def _until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < limit, "not in time"
        time.sleep(0.01)


def test_a_stack_whose_settings_cannot_be_read_is_told_beside_the_others(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Engine", FakeEngine)
    write(folders, name="a")
    for name, text in {"cut": '{"name":', "old": '{"name": "old"}', "list": "[]"}.items():
        folders.file_of(name).write_text(text)
    found = {entry["stack"]: entry["state"] for entry in Service(folders).statuses()}
    assert found == {"a": "not deployed", "cut": "unreadable", "list": "unreadable", "old": "unreadable"}


def test_results_are_counted_by_stack(folders: Folders) -> None:
    write(folders)
    store = Store(folders.of("shop"))
    store.folder.mkdir(parents=True)
    for result in ("running", "failed", "back", "running"):
        store.record(version(), result)
    assert Service(folders).results() == {("shop", "running"): 2, ("shop", "failed"): 1, ("shop", "back"): 1}


def test_salt_is_made_once_for_a_host_and_is_roots_alone(folders: Folders) -> None:
    first = salt(folders)
    assert len(first) == 32 and salt(folders) == first
    assert (folders.data / "salt").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in folders.data.iterdir()] == ["salt"]


def test_of_two_that_make_the_salt_at_once_both_have_the_same(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bytes] = []
    exists = Path.exists
    barrier = threading.Barrier(2)

    def both_see_none(path: Path) -> bool:
        seen = exists(path)
        if path.name == "salt":
            barrier.wait(PATIENCE_S)
        return seen

    monkeypatch.setattr(Path, "exists", both_see_none)
    threads = [threading.Thread(target=lambda: found.append(salt(folders))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(found) == 2 and len(set(found)) == 1


def test_the_works_of_a_stack_trust_the_authorities_that_it_names(folders: Folders) -> None:
    write(folders, authorities="PEM of the lab")
    works = rollout(folders, "shop")
    assert works.source.ca and Path(works.source.ca).read_text() == "PEM of the lab"
    write(folders, authorities="another")
    assert Path(str(rollout(folders, "shop").source.ca)).read_text() == "another"
    write(folders)
    assert rollout(folders, "shop").source.ca is None


def test_to_forget_a_stack_removes_settings_and_data_and_is_no_error_twice(folders: Folders) -> None:
    write(folders)
    write(folders, name="other")
    Store(folders.of("shop")).folder.mkdir(parents=True)
    for _ in range(2):
        forget(folders, "shop")
    assert folders.names() == ["other"] and not folders.of("shop").exists()
