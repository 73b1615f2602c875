"""Many questions under one deadline."""

from __future__ import annotations

import threading
import time
from functools import partial

from provisioning.at_once import at_once


def test_answers_come_in_the_order_of_the_questions() -> None:
    def job(number: int) -> int:
        time.sleep(0.02 * (5 - number))
        return number

    assert at_once([partial(job, number) for number in range(5)], 5) == [0, 1, 2, 3, 4]
    assert at_once([], 5) == []


def test_one_that_raises_or_hangs_leaves_the_others_alone() -> None:
    gone = threading.Event()

    def broken() -> str:
        raise ValueError("no")

    def hanging() -> str:
        gone.wait(30)
        return "late"

    began = time.monotonic()
    fine, error, late = at_once([lambda: "fine", broken, hanging], 0.3)
    assert time.monotonic() - began < 2
    gone.set()
    assert fine == "fine"
    assert isinstance(error, ValueError)
    assert isinstance(late, TimeoutError)
    time.sleep(0.05)
    assert isinstance(late, TimeoutError)  # what comes too late changes nothing any more


def test_they_really_run_at_the_same_time() -> None:
    together = threading.Barrier(8, timeout=5)
    assert not [answer for answer in at_once([together.wait] * 8, 5) if isinstance(answer, Exception)]


def test_more_than_there_are_threads_all_get_their_turn() -> None:
    assert at_once([lambda: 1] * 100, 5) == [1] * 100
