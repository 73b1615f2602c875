"""A router as those see it who open names in a browser."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What came back for a name."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Names:
    """A router asked from outside. `authority`: who alone is trusted (PEM)."""

    address: str
    authority: str
    domain: str
    port: int = 443

    def get(
        self, label: str, path: str = "/", *, headers: dict[str, str] | None = None, method: str = "GET", body: str = ""
    ) -> Answer:
        """A page by name, over TLS that the authority vouches for. ssl.SSLError where it does not."""
        name = f"{label}.{self.domain}"
        trusted = ssl.create_default_context(cadata=self.authority)
        with (
            socket.create_connection((self.address, self.port), timeout=20) as plain,
            trusted.wrap_socket(plain, server_hostname=name) as wrapped,
        ):
            return _asked(wrapped, f"{method} {path}", name, headers or {}, body)

    def plain(self, name: str, path: str = "/", port: int = 80) -> Answer:
        """The same without TLS; status 0 where the line is cut without a word."""
        with socket.create_connection((self.address, port), timeout=20) as line:
            return _asked(line, f"GET {path}", name, {}, "")


def _asked(line: socket.socket, what: str, name: str, headers: dict[str, str], body: str) -> Answer:
    length = {"Content-Length": str(len(body.encode()))} if body else {}
    given = {"Host": name, "Connection": "close", **length, **headers}
    head = "".join([f"{what} HTTP/1.1\r\n", *(f"{key}: {value}\r\n" for key, value in given.items()), "\r\n"])
    line.sendall((head + body).encode())
    said = b""
    while more := line.recv(65536):
        said += more
    if not said:
        return Answer(0, {}, "")
    head, _, text = said.decode(errors="replace").partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    told = {key.lower(): value for key, _, value in (each.partition(": ") for each in lines)}
    return Answer(int(status.split()[1]), told, text)
