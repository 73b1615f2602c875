"""The git server: `git http-backend` behind lighttpd, over TLS with a login, in the place of the site's Bitbucket."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.services.lighttpd import ensure_lighttpd, foreground
from lab.services.program import Program
from lab.services.repositories import CLEAN, backend

_MODULES = "mod_access mod_alias mod_auth mod_authn_file mod_setenv mod_cgi mod_openssl"
_PUSHES = ('$HTTP["url"] =~ "/git-receive-pack$"', '$HTTP["query-string"] =~ "receive-pack"')
"""The two requests that make a push; lighttpd compares what the client meant, not how it was spelled."""
_WITH_SUPERVISOR = ("setpriv", "--pdeathsig=TERM")
"""However the supervisor ends, the kernel ends its git server."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the server listens, what it serves, and how it tells who asks."""

    host: str
    port: int
    repositories: Path
    tls: Path
    """Folder with `git.crt` and `git.key`."""
    htpasswd: Path
    user: str
    """Who may push."""
    reader: str
    """Who may only fetch."""


class GitServer(Program):
    """One lighttpd with git behind it."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds its configuration, its log, and uploads while they come in."""
        super().__init__("git", folder / "lighttpd.conf", "-f")
        self._uploads = folder / "uploads"

    def start(self, place: Place) -> None:
        """Start it and wait until it listens; SetupError with what it said when it does not."""
        shutil.rmtree(self._uploads, ignore_errors=True)
        self._uploads.mkdir(mode=0o700, parents=True)
        lines = configuration(place, self._uploads, backend())
        command = [*_WITH_SUPERVISOR, *foreground(ensure_lighttpd())]
        self.launch(command, "\n".join(lines) + "\n", f"{place.host}:{place.port}")


def configuration(place: Place, uploads: Path, program: Path) -> Iterator[str]:
    """Lines of lighttpd.conf: every path is a request to `git http-backend`, which looks below the repositories."""
    yield f"server.modules = ({', '.join(map(_quoted, _MODULES.split()))})"
    yield f"server.document-root = {_quoted(place.repositories)}"
    yield f"server.bind = {_quoted(place.host)}"
    yield f"server.port = {place.port}"
    # over HTTP/2, a push to a program behind it sometimes never ends (measured: 4 of some 60 on a busy machine)
    yield 'server.feature-flags = ("server.h2proto" => "disable")'
    yield f"server.upload-dirs = ({_quoted(uploads)})"
    yield 'ssl.engine = "enable"'
    yield f"ssl.pemfile = {_quoted(place.tls / 'git.crt')}"
    yield f"ssl.privkey = {_quoted(place.tls / 'git.key')}"
    yield 'auth.backend = "htpasswd"'
    yield f"auth.backend.htpasswd.userfile = {_quoted(place.htpasswd)}"
    yield _login(place.user, place.reader)
    yield from (f"{push} {{ {_login(place.user)} }}" for push in _PUSHES)
    variables = {
        "GIT_PROJECT_ROOT": str(place.repositories),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH": os.environ.get("PATH", os.defpath),
        **CLEAN,
    }
    listed = ", ".join(f"{_quoted(name)} => {_quoted(value)}" for name, value in variables.items())
    yield f"setenv.set-environment = ({listed})"
    yield f'alias.url = ("/" => {_quoted(f"{program}/")})'
    yield 'cgi.assign = ("" => "")'


def _login(*users: str) -> str:
    allowed = "|".join(f"user={user}" for user in users)
    return f'auth.require = ("" => ("method" => "basic", "realm" => "lab", "require" => {_quoted(allowed)}))'


def _quoted(text: object) -> str:
    """As lighttpd.conf spells a string."""
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
