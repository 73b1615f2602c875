"""A TCP proxy that misbehaves: cuts, delays, refuses."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator


class Proxy:
    """Forwards loopback connections to a host; `delay_s` holds packets up, `refuse` drops the first connections."""

    def __init__(self, host: str, port: int, *, delay_s: float = 0, refuse: int = 0) -> None:
        self._target, self._delay_s, self._refuse = (host, port), delay_s, refuse
        self._pairs: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset every connection."""
        for end in self._pairs:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._pairs.clear()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                self.connections += 1
                if self.connections <= self._refuse:
                    near.close()
                    continue
                far = socket.create_connection(self._target, timeout=10)
                self._pairs += [near, far]
                for source, drain in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=(source, drain), daemon=True).start()

    def _forward(self, source: socket.socket, drain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                time.sleep(self._delay_s)
                drain.sendall(chunk)
        with contextlib.suppress(OSError):
            drain.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy(host: str, port: int = 22, *, delay_s: float = 0, refuse: int = 0) -> Iterator[Proxy]:
    """A proxy for the length of a block."""
    running = Proxy(host, port, delay_s=delay_s, refuse=refuse)
    try:
        yield running
    finally:
        running.close()
