"""What the gate keeps on disk: whole or not at all, for one at a time."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from provisioning.gate import state as module
from provisioning.gate.state import KEPT_EVENTS, Busy, Refused, State, Store, Trying
from tests.provisioning.gate.world import version

FULL = State(
    good=version("c1"),
    before=version("c0"),
    trying=Trying(version=version("c2"), back=True, reason="why", began="then"),
    refused=Refused(commit="c3", key="k", reason="bad", again=True, tries=3),
    asked="c3",
    source_error="away",
    held="c4",
    repushed={"web": "r/web:1@sha256:ab"},
    since="2026-11-25T20:00:00+00:00",
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_what_was_kept_is_read_back_as_it_was(store: Store) -> None:
    store.save(FULL)
    assert store.load() == FULL
    assert (store.folder / "state.json").stat().st_mode & 0o777 == 0o600


def test_a_change_is_kept_with_the_rest(store: Store) -> None:
    assert store.save(FULL, asked="c9") == replace(FULL, asked="c9") == store.load()


def test_before_the_first_release_there_is_nothing(store: Store) -> None:
    assert store.load() == State() and store.history() == [] and store.ran("c") is None


@pytest.mark.parametrize(
    "text", ["", "{", '{"good": {"commit": "c1"}}', '{"trying": {"back": true}}', "null", "[]", "5", "\0\0", "\udcff"]
)
def test_what_is_cut_or_garbage_is_an_empty_state(store: Store, text: str) -> None:
    (store.folder / "state.json").write_bytes(text.encode(errors="surrogateescape"))
    assert store.load() == State()


def test_fields_of_another_version_of_the_gate_are_no_obstacle(store: Store) -> None:
    (store.folder / "state.json").write_text('{"asked": "c1", "added_later": 1}')
    assert store.load() == State(asked="c1")


def test_a_disk_that_is_full_leaves_what_was_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(FULL)
    store.record(version("c1"), "running")

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.save(FULL, asked="c9")
    with pytest.raises(OSError, match="No space"):
        store.record(version("c2"), "running")
    assert store.load() == FULL and len(store.history()) == 1


def test_history_is_the_oldest_first_and_holds_no_more_than_it_may(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_EVENTS", 3)
    for number in range(5):
        store.record(version(f"c{number}"), "running", seconds=number)
    assert [event["version"]["commit"] for event in store.history()] == ["c2", "c3", "c4"]
    assert [event["seconds"] for event in store.history()] == [2, 3, 4]
    assert KEPT_EVENTS >= 100


@pytest.mark.parametrize("cut", ['{"at": "x", "resu', "{cut}", '{"half": {"a": 1}', "\0\0\0"])
def test_a_line_that_was_cut_is_no_history(store: Store, cut: str) -> None:
    store.record(version("c1"), "running")
    with (store.folder / "history.jsonl").open("a") as file:
        file.write(cut)
    assert [event["version"]["commit"] for event in store.history()] == ["c1"]
    assert store.ran("c1") == version("c1")


def test_the_last_version_that_ran_is_found_by_its_first_letters(store: Store) -> None:
    store.record(version("abc1", by="first"), "running")
    store.record(version("abc1", by="second"), "running")
    store.record(version("abd2"), "failed")
    assert store.ran("ab") == version("abc1", by="second")
    assert store.ran("abd") is None


def test_one_at_a_time_works_on_a_stack(store: Store) -> None:
    with store.alone(wait=False), pytest.raises(Busy), store.alone(wait=False):
        pass
    with store.alone(wait=True):
        pass
