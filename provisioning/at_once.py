"""Independent questions at the same time, under one deadline: a dead endpoint keeps nobody else from answering."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
THREADS = 16


def at_once(jobs: Sequence[Callable[[], T]], deadline_s: float, threads: int = THREADS) -> list[T | Exception]:
    """What each gave or raised, in their order; TimeoutError for those that the deadline left behind.

    Not an executor: that would wait for them when the program ends.
    """
    answers: list[T | Exception] = [TimeoutError(f"no answer within {deadline_s:.0f} s") for _ in jobs]
    waiting, ended = deque(enumerate(jobs)), threading.Semaphore(0)

    def work() -> None:
        while True:
            try:
                index, job = waiting.popleft()
            except IndexError:
                return
            try:
                answers[index] = job()
            except Exception as error:
                answers[index] = error
            ended.release()

    for _ in range(min(threads, len(jobs))):
        threading.Thread(target=work, daemon=True).start()
    limit = time.monotonic() + deadline_s
    if not all(ended.acquire(timeout=max(0.0, limit - time.monotonic())) for _ in jobs):
        waiting.clear()
    return list(answers)
