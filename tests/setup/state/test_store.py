"""The engine's layout, in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup.state.blobs import Folder
from setup.state.store import Store, shown, store_at
from tests.setup.state.states import kept, put_bytes, put_state


def found(folder: Path) -> Store:
    store = store_at(f"file://{folder}", {})
    assert store is not None
    return store


def test_stacks_are_those_that_have_a_checkpoint(tmp_path: Path) -> None:
    put_state(tmp_path, "lab")
    there = put_state(tmp_path, "acceptance").parent
    for name in ("acceptance.json.bak", "acceptance.json.attrs", "notes.txt", "packed.json.gz"):
        (there / name).write_text("")
    (there / "deeper").mkdir()
    (there / "deeper" / "x.json").write_text("")
    assert found(tmp_path).stacks() == ["acceptance", "lab", "packed"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    store = found(tmp_path / "none")
    assert (store.stacks(), store.checkpoint("lab"), store.locks("lab")) == ([], None, {})
    assert [list(copies) for copies in store.copies("lab")] == [[], []]


def test_the_engines_own_copies_come_newest_first(tmp_path: Path) -> None:
    history = tmp_path / ".pulumi" / "history" / "hypercompose" / "lab"
    history.mkdir(parents=True)
    for number in (1, 2, 3):
        (history / f"lab-{number}.checkpoint.json").write_bytes(b"%d" % number)
        (history / f"lab-{number}.history.json").write_bytes(b"no")
    put_bytes(tmp_path, "lab", kept()).with_suffix(".json.bak").write_bytes(b"before")
    assert [list(copies) for copies in found(tmp_path).copies("lab")] == [[b"3", b"2", b"1"], [b"before"]]


def test_removing_what_is_gone_is_no_error(tmp_path: Path) -> None:
    Folder(tmp_path).remove("gone")


@pytest.mark.parametrize(
    "backend", ["gs://state", "azblob://state", "https://api.pulumi.com", "s3://b?role=arn:x", "s3://"]
)
def test_what_only_the_engine_can_read_is_left_to_it(backend: str) -> None:
    assert store_at(backend, {}) is None


@pytest.mark.parametrize(
    ("backend", "says"),
    [
        ("postgres://me:secret@db/state", "postgres://db/state"),
        ("s3://bucket/a@b?region=eu", "s3://bucket/a@b?region=eu"),
        ("file:///a@b", "file:///a@b"),
    ],
)
def test_messages_show_no_password(backend: str, says: str) -> None:
    assert shown(backend) == says
