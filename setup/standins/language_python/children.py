"""Processes the host started: they end when the host is told to, and stream what they say."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Iterator
from typing import IO, Any


class Children:
    """Running programs and plugins."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def start(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a process that `stop` will end."""
        child = subprocess.Popen(command, **options)
        with self._lock:
            self._running.add(child)
        return child

    def wait(self, child: subprocess.Popen[bytes]) -> int:
        """Its exit code, once it has ended."""
        code = child.wait()
        with self._lock:
            self._running.discard(child)
        return code

    def stop(self) -> None:
        """Ask all of them to end: the engine has given up on what they do."""
        with self._lock:
            for child in self._running:
                child.terminate()


def pieces(child: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """What a child says as it says it: ("stdout" or "stderr", bytes), until both are closed."""
    said: queue.Queue[tuple[str, bytes]] = queue.Queue()
    for name in ("stdout", "stderr"):
        threading.Thread(target=_pump, args=(name, getattr(child, name), said), daemon=True).start()
    still_open = 2
    while still_open:
        name, piece = said.get()
        still_open -= not piece
        if piece:
            yield name, piece


def _pump(name: str, stream: IO[bytes], said: queue.Queue[tuple[str, bytes]]) -> None:
    """Move one stream into the queue; an empty piece marks its end."""
    while piece := stream.read1(65536):  # type: ignore[attr-defined]  # a pipe's reader is buffered
        said.put((name, piece))
    said.put((name, b""))
