"""Work on instances in the background: a few at a time, and never twice at once on the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

Work = Callable[[], None]
"""Tells by itself what goes wrong."""


class Crew:
    """Threads that outlive a tick: an engine that takes long keeps no deadline waiting."""

    def __init__(self, at_once: int) -> None:
        """Take how many work at once."""
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="crew")
        self._guard, self._under_way = Lock(), dict[str, Future[None]]()

    def give(self, instance: str, work: Work) -> bool:
        """Have it done as soon as somebody is free. False: something is under way with it, or waits to be."""
        with self._guard:
            if instance in self._under_way:
                return False
            self._under_way[instance] = self._pool.submit(self._do, instance, work)
            return True

    def rest(self) -> None:
        """Wait until all is done."""
        while True:
            with self._guard:
                found = list(self._under_way.values())
            if not found:
                return
            wait(found)

    def _do(self, instance: str, work: Work) -> None:
        try:
            work()
        finally:
            with self._guard:
                del self._under_way[instance]
