"""Two keys that sign the lab's repositories: Docker's and the distribution's. Made once, never served."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from setup.cached import digest, made_once
from setup.machine import Tool, ensure
from setup.process import run_quietly
from setup.report import work

GPG = Tool(name="gpg", package="gnupg", remedy="install GnuPG")
OWNERS = {"docker": "Lab stand-in of Docker Release", "base": "Lab stand-in of the distribution"}
_KIND = "rsa3072"
"""What rpm, dnf and apt of both distributions accept."""


@dataclass(frozen=True)
class SigningKey:
    """A key pair as files in ASCII armour."""

    owner: str
    public: Path
    private: Path

    @contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        """What gpg needs to sign with this key: a home of its own, as short as the agent's socket asks for."""
        with tempfile.TemporaryDirectory(prefix="sign-") as home:
            env = {**os.environ, "GNUPGHOME": home, "LC_ALL": "C.UTF-8"}
            run_quietly(["gpg", "--batch", "--quiet", "--import", str(self.private)], env=env)
            try:
                yield env
            finally:
                _stop_agent(env)


def signing_keys() -> dict[str, SigningKey]:
    """The keys by `docker` and `base`; made by the first caller."""
    folder = made_once("package-keys", digest([_KIND, *OWNERS.values()]), _make)
    return {name: _key(folder, name) for name in OWNERS}


def _key(folder: Path, name: str) -> SigningKey:
    return SigningKey(OWNERS[name], folder / f"{name}.asc", folder / "private" / f"{name}.asc")


def _make(folder: Path) -> None:
    ensure(GPG)
    (folder / "private").mkdir(mode=0o700)
    with work("packages: two signing keys"):
        for name, owner in OWNERS.items():
            _make_key(_key(folder, name), owner)


def _make_key(key: SigningKey, owner: str) -> None:
    with tempfile.TemporaryDirectory(prefix="sign-") as home:
        env = {**os.environ, "GNUPGHOME": home, "LC_ALL": "C.UTF-8"}
        quiet = ["gpg", "--batch", "--quiet", "--pinentry-mode=loopback", "--passphrase="]
        try:
            run_quietly(
                [*quiet, "--quick-generate-key", f"{owner} <lab@lab.internal>", _KIND, "sign", "never"], env=env
            )
            run_quietly([*quiet, "--armor", f"--output={key.private}", "--export-secret-keys"], env=env)
            run_quietly([*quiet, "--armor", f"--output={key.public}", "--export"], env=env)
        finally:
            _stop_agent(env)
    key.private.chmod(0o600)


def _stop_agent(env: dict[str, str]) -> None:
    run_quietly(["gpgconf", "--kill", "gpg-agent"], env=env)
