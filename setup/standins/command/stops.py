"""How to end what runs, when the engine gives up: it asks for that before it ends the plugin itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stops:
    """One function per running command that ends it."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._stops: set[Callable[[], object]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def during(self, stop: Callable[[], object]) -> Iterator[None]:
        """While the body runs, `stop` is what ends it."""
        with self._lock:
            self._stops.add(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.discard(stop)

    def all(self) -> None:
        """End everything."""
        with self._lock:
            stops = tuple(self._stops)
        for stop in stops:
            stop()
