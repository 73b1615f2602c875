"""The last ones stay, and one a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from settings.site import State
from setup.state.retention import DEFAULT, Keep, kept

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def ago(**time: float) -> datetime:
    return NOON - timedelta(**time)


def test_of_a_busy_day_the_last_ones_stay() -> None:
    minutes = [ago(minutes=n) for n in range(100)]
    assert kept(minutes, NOON, DEFAULT) == set(minutes[:20])


def test_each_day_keeps_its_last_one_for_thirty_days() -> None:
    hours = [ago(hours=n) for n in range(24 * 60)]
    stay = sorted(kept(hours, NOON, DEFAULT), reverse=True)
    assert stay[:20] == hours[:20]
    assert [time.hour for time in stay[20:]] == [23] * 28  # the day before is among the last twenty
    assert stay[-1].date() == ago(days=29).date()


def test_a_machine_that_was_off_for_a_year_loses_nothing_of_the_last_ones() -> None:
    old = [ago(days=400 + n) for n in range(30)]
    assert kept(old, NOON, DEFAULT) == set(old[:20])


def test_a_site_says_how_many() -> None:
    hours = [ago(hours=n) for n in range(100)]
    assert kept(hours, NOON, Keep(last=1, days=0)) == {NOON}
    assert len(kept(hours, NOON, Keep(last=1, days=3))) == 3


def test_the_settings_and_set_up_agree_on_what_stays() -> None:
    described = State(backend="s3://x").keep
    assert (described.last, described.days) == (DEFAULT.last, DEFAULT.days)


@given(
    st.lists(st.datetimes(timezones=st.just(UTC), min_value=datetime(2026, 9, 1), max_value=datetime(2026, 12, 31))),
    st.integers(1, 30),
    st.integers(0, 60),
)
def test_it_is_never_more_than_was_asked_and_always_the_newest(times: list[datetime], last: int, days: int) -> None:
    stay = kept(times, NOON, Keep(last=last, days=days))
    assert stay <= set(times)
    assert set(sorted(set(times), reverse=True)[: min(last, 1)]) <= stay
    past = [time for time in stay if time <= NOON]
    assert len(past) <= last + days
