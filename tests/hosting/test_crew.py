"""Work in the background: a few at a time, each instance once at a time, and all of it done in the end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hosting.crew import Crew

LONG_S = 10


def after(free: threading.Event, then: Callable[[], None]) -> Callable[[], None]:
    """Work that takes until then."""

    def work() -> None:
        free.wait(LONG_S)
        then()

    return work


def test_what_takes_long_keeps_nobody_waiting() -> None:
    crew, free, done = Crew(2), threading.Event(), list[str]()
    assert crew.give("slow", after(free, lambda: done.append("slow")))
    assert crew.give("quick", lambda: done.append("quick"))
    while "quick" not in done:
        pass
    assert done == ["quick"]
    free.set()
    crew.rest()
    assert done == ["quick", "slow"]


def test_an_instance_that_something_is_under_way_with_is_left_alone() -> None:
    crew, free, done = Crew(2), threading.Event(), list[int]()
    assert crew.give("shop", after(free, lambda: done.append(1)))
    assert not crew.give("shop", lambda: done.append(2))
    free.set()
    crew.rest()
    assert crew.give("shop", lambda: done.append(3))
    crew.rest()
    assert done == [1, 3]


def test_no_more_than_so_many_work_at_once() -> None:
    crew, most, now, guard = Crew(3), [0], [0], threading.Lock()

    def work() -> None:
        with guard:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.01)
        with guard:
            now[0] -= 1

    assert all(crew.give(str(number), work) for number in range(20))
    crew.rest()
    assert (most, now) == ([3], [0])


def test_one_that_breaks_is_free_again() -> None:
    crew = Crew(1)

    def broken() -> None:
        raise KeyError("x")

    assert crew.give("shop", broken)
    crew.rest()
    assert crew.give("shop", lambda: None)
    crew.rest()
