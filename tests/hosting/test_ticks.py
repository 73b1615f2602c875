"""The clock guard: time that goes on is believed, time that jumps ahead has to wait."""

from __future__ import annotations

from datetime import timedelta

from hosting.database import Database, open_database
from hosting.ticks import Reading, Verdict, tick
from tests.hosting.world import DAY, HOUR, MINUTE, NOW


def at(database: Database, wall: timedelta, monotonic: timedelta | None = None, boot: str = "b1") -> Verdict:
    passed = wall if monotonic is None else monotonic
    return database.transact(tick, Reading(at=NOW + wall, monotonic_s=1e6 + passed.total_seconds(), boot=boot))


def test_time_that_goes_on_is_believed_however_rarely_somebody_looks(database: Database) -> None:
    assert [at(database, wall).is_held for wall in (0 * DAY, MINUTE, 30 * DAY, 400 * DAY)] == [False] * 4


def test_a_jump_ahead_holds_until_the_clock_was_steady_for_ten_minutes(database: Database) -> None:
    at(database, MINUTE)
    held = at(database, DAY, 2 * MINUTE)
    assert held.is_held and held.why.startswith("clock: jumped 23:58:00 ahead, expected it to go on with time; stops")
    assert at(database, DAY + 9 * MINUTE, 11 * MINUTE).is_held
    assert at(database, DAY + 10 * MINUTE, 12 * MINUTE) == Verdict(is_held=False)


def test_another_jump_begins_the_wait_anew(database: Database) -> None:
    at(database, MINUTE)
    at(database, DAY, 2 * MINUTE)
    assert at(database, 2 * DAY, 11 * MINUTE).is_held
    assert at(database, 2 * DAY + 9 * MINUTE, 20 * MINUTE).is_held
    assert not at(database, 2 * DAY + 10 * MINUTE, 21 * MINUTE).is_held


def test_a_jump_to_and_fro_within_the_wait_still_waits(database: Database) -> None:
    at(database, MINUTE)
    assert at(database, DAY, 2 * MINUTE).is_held
    assert at(database, 3 * MINUTE, 3 * MINUTE).is_held
    assert not at(database, 12 * MINUTE, 12 * MINUTE).is_held


def test_small_steps_are_believed_but_not_many_of_them(database: Database) -> None:
    at(database, 0 * MINUTE)
    assert not at(database, 6 * MINUTE, MINUTE).is_held  # five minutes ahead
    assert at(database, 8 * MINUTE, 2 * MINUTE).is_held


def test_a_clock_that_goes_back_is_believed_at_once_and_its_way_ahead_again_is_not(database: Database) -> None:
    at(database, DAY)
    assert not at(database, HOUR, DAY + MINUTE).is_held
    assert not at(database, HOUR + MINUTE, DAY + 2 * MINUTE).is_held
    assert at(database, DAY, DAY + 3 * MINUTE).is_held


def test_another_process_of_the_same_boot_goes_on_with_the_wait(database: Database, url: str) -> None:
    at(database, MINUTE)
    at(database, DAY, 2 * MINUTE)
    other = open_database(url)
    assert at(other, DAY + 5 * MINUTE, 7 * MINUTE).is_held
    assert not at(other, DAY + 10 * MINUTE, 12 * MINUTE).is_held
    other.close()


def test_after_a_boot_time_has_passed_unless_it_went_back_or_was_not_trusted(database: Database) -> None:
    at(database, MINUTE)
    assert not at(database, DAY, MINUTE, boot="b2").is_held
    told = at(database, HOUR, MINUTE, boot="b3")
    assert told.is_held and "2026-11-26 13:00 UTC is before the last tick at 2026-11-27 12:00" in told.why
    assert at(database, DAY, 2 * MINUTE, boot="b4").is_held  # its ten minutes begin anew
    assert not at(database, DAY + 10 * MINUTE, 12 * MINUTE, boot="b4").is_held
