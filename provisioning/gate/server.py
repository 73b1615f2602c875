"""What the gate answers over HTTPS: releases to Portainer, hooks to whoever knocks, its status, metrics."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provisioning.gate.config import Folders, Server
from provisioning.gate.service import Service
from provisioning.gate.state import Store
from provisioning.gate.status import metrics

LARGEST_BODY = 1 << 20
GIT_TIMEOUT_S = 120
LAST_ANSWER_S = 20.0
DEAD_S = 30.0
_GIT = re.compile(r"/(?P<name>[a-z0-9][a-z0-9_-]*)\.git/(?P<what>info/refs|git-upload-pack)")


class Answering:
    """Answers on their way to Portainer: one that breaks off can keep it from every later fetch."""

    def __init__(self) -> None:
        """None is."""
        self._count, self._changed = 0, threading.Condition()

    def __enter__(self) -> None:
        """One more."""
        with self._changed:
            self._count += 1

    def __exit__(self, *error: object) -> None:
        """One less."""
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def end(self) -> None:
        """Wait for the last one, for a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, LAST_ANSWER_S)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "hypercompose-gate", ""
    timeout = 60
    folders: Folders
    settings: Server
    service: Service
    answering: Answering

    def do_GET(self) -> None:
        """`/metrics`, `/health`, `/status`, and git's first question."""
        path = urlsplit(self.path).path
        if path == "/metrics":
            lines = metrics(self.service.statuses(), self.service.results())
            self._say(200, "\n".join(lines) + "\n", "text/plain; version=0.0.4")
        elif path == "/health":
            is_alive = time.monotonic() - self.service.beat < DEAD_S
            self._say(200 if is_alive else 503, "well\n" if is_alive else "the loop stands still\n")
        elif not self._is_known():
            self._ask_who()
        elif path == "/status":
            self._say(200, json.dumps(self.service.statuses(), indent=1) + "\n", "application/json")
        else:
            self._git(b"")

    def do_POST(self) -> None:
        """Hooks, and git's second question."""
        body = self._body()
        if body is None:
            return
        path = urlsplit(self.path).path
        if path.startswith("/hooks/"):
            is_known = self.service.hook(path.removeprefix("/hooks/"))
            self._say(202 if is_known else 404, "" if is_known else "nobody's hook\n")
        elif self._is_known():
            self._git(body)
        else:
            self._ask_who()

    def _git(self, body: bytes) -> None:
        """By git's own program for it; nothing but reading is asked of it."""
        place = urlsplit(self.path)
        asked = _GIT.fullmatch(place.path)
        if asked is None or (asked["what"] == "info/refs" and place.query != "service=git-upload-pack"):
            self._say(404, "there is nothing here\n")
            return
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "GIT_PROJECT_ROOT": str(self.folders.of(asked["name"])),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH_INFO": f"/release.git/{asked['what']}",
            "QUERY_STRING": place.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        with self.answering:
            self._answer_git(asked["name"], body, environment)

    def _answer_git(self, name: str, body: bytes, environment: dict[str, str]) -> None:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", "http-backend"],
            input=body,
            capture_output=True,
            timeout=GIT_TIMEOUT_S,
            check=False,
            env=environment,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(fields.pop("Status", "200").split()[0]) if head else 500
        self._answer(status, content, fields)
        if b"want " in body and status == 200:
            Store(self.folders.of(name)).fetched()

    def _is_known(self) -> bool:
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        try:
            found = base64.b64decode(given, validate=True)
        except ValueError:
            return False
        expected = f"{self.settings.user}:{self.settings.password}".encode()
        return scheme.lower() == "basic" and secrets.compare_digest(found, expected)

    def _ask_who(self) -> None:
        self._answer(401, b"who asks?\n", {"WWW-Authenticate": 'Basic realm="releases"'})

    def _body(self) -> bytes | None:
        """What came; None, and told, where it is too much or of unknown length."""
        given = self.headers.get("Content-Length", "" if self.headers.get("Transfer-Encoding") else "0")
        if not given.isdecimal() or int(given) > LARGEST_BODY:
            self.close_connection = True
            self._say(411 if not given.isdecimal() else 413, "expected Content-Length, a megabyte at most\n")
            return None
        return self.rfile.read(int(given))

    def _say(self, status: int, text: str, kind: str = "text/plain") -> None:
        self._answer(status, text.encode(), {"Content-Type": kind})

    def _answer(self, status: int, content: bytes, fields: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: paths hold the tokens of hooks."""


def listen(folders: Folders, service: Service) -> GateServer:
    """A server that listens already. OSError where the address cannot be had."""
    settings = folders.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(_file(folders, "gate.crt"), _file(folders, "gate.key"))
    answering = Answering()
    bound = {"folders": folders, "settings": settings, "service": service, "answering": answering}
    handler = type("Bound", (Handler,), bound)
    server = GateServer((settings.address, settings.port), handler)
    server.answering = answering
    # the handshake is the connection's own thread's, not that of everybody
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


class GateServer(ThreadingHTTPServer):
    """All connections."""

    daemon_threads = True
    request_queue_size = 64
    answering: Answering

    def end(self) -> None:
        """Take no more, and let what is being answered be answered."""
        self.shutdown()
        self.answering.end()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is no news."""


def _file(folders: Folders, name: str) -> Path:
    return folders.settings / "tls" / name
