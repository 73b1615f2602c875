"""Exports: whole, private, in order, never the same twice, and the last good one is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from setup.report import SetupError
from setup.state.archive import Archive
from setup.state.checkpoint import Checkpoint, Owner, read
from setup.state.retention import Keep
from tests.setup.state.states import claim, kept, resource

OURS = Owner(stack="lab", site="lab")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def state(*names: str, at: str = "2026-11-25T11:00:00Z") -> Checkpoint:
    return read(kept(at=at, resources=[resource(name=name) for name in names]))


def archive(folder: Path, *times: datetime, keep: Keep = Keep(last=3, days=2)) -> Archive:  # noqa: B008
    clock: Iterator[datetime] = iter(times)
    return Archive(folder=folder / "lab", keep=keep, clock=lambda: next(clock, NOON))


def last_good(exports: Archive) -> Path:
    found = exports.last_good(OURS)
    assert found is not None
    return found[0]


def test_an_export_is_named_by_its_time_and_private(tmp_path: Path) -> None:
    exports = archive(tmp_path, NOON)
    file = exports.add(state("one"))
    assert file == tmp_path / "lab" / "20261125T120000.000000Z.json"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert json.loads(file.read_text()) == state("one").export
    assert [found.name for found in file.parent.iterdir()] == [file.name]


def test_the_same_is_not_exported_again(tmp_path: Path) -> None:
    exports = archive(tmp_path)
    assert exports.add(state("one")) is not None
    assert exports.add(state("one", at="2026-11-25T11:30:00Z")) is None
    assert exports.add(state("one", "two")) is not None
    assert exports.add(state("one")) is not None  # back to what was before the newest


def test_a_stack_that_never_ran_has_no_export_but_one_that_was_taken_down_has(tmp_path: Path) -> None:
    exports = archive(tmp_path)
    assert exports.add(state()) is None
    exports.add(state("one"))
    assert exports.add(state()) is not None


def test_old_ones_go_and_other_files_stay(tmp_path: Path) -> None:
    exports = archive(tmp_path, *(NOON + timedelta(minutes=n // 2) for n in range(20)))
    (tmp_path / "lab").mkdir()
    strangers = [tmp_path / "lab" / name for name in ("notes.json", "2026.json", "$(reboot).json")]
    for file in strangers:
        file.write_text("mine")
    for number in range(6):
        exports.add(state(f"r{number}"))
    assert [read(file.read_bytes()).resources[0]["urn"][-2:] for file in exports.times().values()] == ["r5", "r4", "r3"]
    assert all(file.exists() for file in strangers)


def test_a_clock_that_was_put_back_leaves_the_order(tmp_path: Path) -> None:
    archive(tmp_path, NOON).add(state("one"))
    early = archive(tmp_path, *[NOON - timedelta(days=700)] * 3)
    newest = early.add(state("two"))
    assert last_good(early) == newest


def test_the_last_good_one_is_found_behind_bad_ones(tmp_path: Path) -> None:
    exports = archive(tmp_path, *(NOON + timedelta(minutes=n) for n in range(9)), keep=Keep())
    good = exports.add(state("one"))
    cut, foreign = exports.add(state("two")), exports.add(read(kept(resources=[claim("main")])))
    assert cut is not None and foreign is not None
    cut.write_bytes(cut.read_bytes()[:99])
    (cut.parent / "20261125T130000.000000Z.json").mkdir()
    assert last_good(exports) == good


def test_nothing_to_restore_is_nothing(tmp_path: Path) -> None:
    assert archive(tmp_path).last_good(OURS) is None


@pytest.mark.parametrize(
    "stack", ["", ".", "..", "a/b", "../lab", "$(reboot)", "a b", "a\n", "ü", "'", "<script>", "|"]
)
def test_a_name_that_is_none_leads_nowhere(tmp_path: Path, stack: str) -> None:
    with pytest.raises(SetupError, match="STACK="):
        Archive.of(tmp_path, stack, Keep())


def test_what_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("a file where the folder has to be")
    with pytest.raises(SetupError, match="could not be exported there"):
        archive(tmp_path).add(state("one"))


def test_what_is_replaced_is_kept_byte_for_byte(tmp_path: Path) -> None:
    file = archive(tmp_path, NOON).put_aside(b"\x00cut")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"\x00cut", 0o600)
    assert archive(tmp_path).times() == {}
