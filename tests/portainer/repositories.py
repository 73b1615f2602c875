"""Git repositories over HTTP: one that everybody may read, one that wants a password."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "gituser", "gitpass"
BRANCH = "main"


class Repositories:
    """`pub/app.git` and `priv/app.git` below a folder; both get every commit."""

    def __init__(self, folder: Path, url: str) -> None:
        """`url` is where the folder is served, as the server under test sees it."""
        self.url = url
        self.requests = 0
        self.gone = False
        self.cuts_clones = False
        self.cut = 0
        self._folder = folder
        self._work = folder / "work"
        _git("init", "--quiet", f"--initial-branch={BRANCH}", str(self._work))
        for name in ("pub", "priv"):
            _git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(folder / name / "app.git"))

    def commit(self, files: dict[str, str]) -> str:
        """The commit that writes these files, after it was pushed."""
        for name, content in files.items():
            (self._work / name).parent.mkdir(parents=True, exist_ok=True)
            (self._work / name).write_text(content)
        _git("-C", str(self._work), "add", "--all")
        _git("-C", str(self._work), "commit", "--quiet", "--allow-empty", "--message=change")
        for name in ("pub", "priv"):
            _git("-C", str(self._work), "push", "--quiet", str(self._folder / name / "app.git"), f"HEAD:{BRANCH}")
        return _git("-C", str(self._work), "rev-parse", "HEAD").strip()

    def reset(self, commit: str) -> None:
        """Move the branch to a commit, as a forced push does."""
        for name in ("pub", "priv"):
            repository = str(self._folder / name / "app.git")
            _git("-C", repository, "update-ref", f"refs/heads/{BRANCH}", commit)


@contextmanager
def served(folder: Path) -> Iterator[Repositories]:
    """Repositories while they are served. PORTAINER_TEST_GIT_BIND and _URL say where, for servers elsewhere."""
    host, _, port = os.environ.get("PORTAINER_TEST_GIT_BIND", "127.0.0.1:0").partition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    url = os.environ.get("PORTAINER_TEST_GIT_URL", f"http://127.0.0.1:{server.server_port}")
    repositories = Repositories(folder, url)
    server.repositories, server.folder = repositories, folder  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield repositories
    finally:
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    """Git's own program behind a login."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self) -> None:
        repositories: Repositories = self.server.repositories  # type: ignore[attr-defined]
        repositories.requests += 1
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if repositories.gone:
            self.send_error(404)
        elif repositories.cuts_clones and self.command == "POST":
            repositories.cut += 1
            self.send_error(503)
        elif self.path.startswith("/priv/") and self.headers.get("Authorization") != f"Basic {expected}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._backend()

    def _backend(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.folder),  # type: ignore[attr-defined]
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _git(*arguments: str) -> str:
    who = {f"GIT_{role}_{what}": "test@lab" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"} | who
    return subprocess.run(["git", *arguments], env=env, check=True, capture_output=True, text=True).stdout
