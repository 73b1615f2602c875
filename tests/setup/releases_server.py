"""A loopback server laid out like the public release site, which can misbehave."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from setup.releases import Release

Answer = Callable[[BaseHTTPRequestHandler], None]
RELEASE = Release(
    repository="pulumi/pulumi",
    version="1.2.3",
    archive="pulumi-v1.2.3-linux-x64.tar.gz",
    checksums="pulumi-1.2.3-checksums.txt",
)


def tar(files: dict[str, str]) -> bytes:
    """A tar.gz of executables."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return raw.getvalue()


def listing(archive: bytes, name: str = RELEASE.archive) -> bytes:
    """A checksums file."""
    return f"{'0' * 64}  another.tar.gz\n{hashlib.sha256(archive).hexdigest()}  {name}\n".encode()


def content(body: bytes) -> Answer:
    """Answers 200 with a body."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def cut_off(body: bytes) -> Answer:
    """Announces more than it sends."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body) + 1000))
        request.end_headers()
        request.wfile.write(body)

    return answer


def refused(code: int) -> Answer:
    """Answers with an error."""
    return lambda request: request.send_error(code)


def silent(request: BaseHTTPRequestHandler) -> None:
    """Accepts, then says nothing."""
    time.sleep(2)


def trickling(request: BaseHTTPRequestHandler) -> None:
    """Never silent for long, never done."""
    request.send_response(200)
    request.end_headers()
    for _ in range(40):
        request.wfile.write(b"x")
        time.sleep(0.05)


class Server(ThreadingHTTPServer):
    """Counts what it is asked for."""

    daemon_threads = True
    asked: list[str]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up is what some tests want."""


@contextmanager
def serving(answers: dict[str, Answer]) -> Iterator[Server]:
    """Serve files by name, anywhere on the site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            answers.get(self.path.rpartition("/")[2], refused(404))(self)

        def log_message(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
