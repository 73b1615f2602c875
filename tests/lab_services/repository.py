"""Git on this machine as a person uses it against a lab: with the lab's CA, and a password that is only ever told."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests

from lab.site import Site
from setup.exports import read_exports
from tests.lab_services.sections import GIT_URL

URL = GIT_URL
_ASKED = '#!/bin/sh\ncase "$1" in Username*) echo "$TEST_USER" ;; *) echo "$TEST_PASSWORD" ;; esac\n'


@dataclass(frozen=True, kw_only=True)
class Client:
    """Somebody with a folder for clones; without a password somebody whom git cannot ask for one."""

    folder: Path
    site: Site
    trusts: Path | None
    """CA certificate; None: the machine's own."""
    user: str = "lab"
    password: str | None

    def git(self, *words: str, at: str = ".", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run git in a folder of this client."""
        done = self.start(*words, at=at)
        out, err = done.communicate(timeout=60)
        assert not check or done.returncode == 0, f"git {' '.join(words)}: {err}"
        return subprocess.CompletedProcess(words, done.returncode, out.strip(), err)

    def start(self, *words: str, at: str = ".") -> subprocess.Popen[str]:
        """Start git in a folder of this client."""
        address = f"git.test.internal:3443:{self.site.services.address}"
        command = ["git", "-c", f"http.curloptResolve={address}", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command,
            cwd=self.folder / at,
            env=self._env(),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )

    def clone(self, name: str, repository: str = "hypercompose/deployments") -> Path:
        """A clone in a folder of that name."""
        self.git("clone", "-q", f"{URL}/{repository}.git", name)
        return self.folder / name

    def commit(self, clone: str, file: str, content: bytes) -> str:
        """Commit a file and return the commit's id."""
        (self.folder / clone / file).write_bytes(content)
        self.git("add", file, at=clone)
        self.git("commit", "-q", "-m", file, at=clone)
        return self.git("rev-parse", "HEAD", at=clone).stdout

    def _env(self) -> dict[str, str]:
        known = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "NO_PROXY": "*",
        }
        known |= {"GIT_SSL_CAINFO": str(self.trusts)} if self.trusts else {}
        known |= {f"GIT_{who}_NAME": "tester" for who in ("AUTHOR", "COMMITTER")}
        known |= {f"GIT_{who}_EMAIL": "tester@localhost" for who in ("AUTHOR", "COMMITTER")}
        if self.password is None:
            return known
        ask = self.folder / "ask"
        if not ask.exists():
            ask.write_text(_ASKED)
            ask.chmod(0o700)
        return known | {"GIT_ASKPASS": str(ask), "TEST_USER": self.user, "TEST_PASSWORD": self.password}


def told_password(site: Site) -> str:
    """What the credentials file tells programs."""
    return read_exports(site.directory / "credentials.env")["HYPERCOMPOSE_GIT_PASSWORD"]


def ca(site: Site) -> Path:
    """The lab's CA certificate."""
    return site.directory / "tls" / "ca.crt"


def answers(site: Site, *paths: str, login: tuple[str, str] | None) -> set[int]:
    """Statuses of requests whose paths go out as they are spelled here; `POST ` before one is what it says."""

    def ask(path: str) -> int:
        method = "POST" if path.startswith("POST ") else "GET"
        prepared = requests.Request(method, f"https://{site.services.address}:3443/", auth=login).prepare()
        prepared.url = f"https://{site.services.address}:3443/{path.removeprefix('POST ')}"
        session = requests.Session()
        session.trust_env = False
        return session.send(prepared, verify=str(ca(site)), timeout=10).status_code

    with ThreadPoolExecutor(len(paths)) as pool:  # lighttpd takes a second to say no to a wrong password
        return set(pool.map(ask, paths))
