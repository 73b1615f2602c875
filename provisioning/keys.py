"""Where the private SSH key comes from."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import paramiko

from provisioning.errors import ProvisioningError

KEY_FILE_VARIABLE = "HYPERCOMPOSE_SSH_KEY_FILE"


def key_loader(text: str | None) -> Callable[[], paramiko.PKey]:
    """A loader for the key given as text (a Pulumi secret), else for the file named by the environment."""

    def load() -> paramiko.PKey:
        if text:
            return _from_text(text)
        named = os.environ.get(KEY_FILE_VARIABLE)
        if not named:
            raise ProvisioningError(
                f"no private key for SSH: set {KEY_FILE_VARIABLE} to its file, or "
                "`pulumi config set --secret hypercompose:ssh_private_key`"
            )
        path = Path(named).expanduser()
        if not path.is_file():
            raise ProvisioningError(f"{KEY_FILE_VARIABLE}: {path} does not exist; name the file of the private key")
        return _from_text(path.read_text())

    return load


def open_to_others(path: Path) -> str:
    """What to do about a key file that others may read; empty for one that they may not."""
    return f"others can read it: chmod 600 {path}" if path.stat().st_mode & 0o077 else ""


def _from_text(text: str) -> paramiko.PKey:
    failures: list[Exception] = []
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError) as error:
            failures.append(error)
    raise ProvisioningError(
        "the private key for SSH cannot be read (a passphrase on it, or not an OpenSSH key); "
        "give one without a passphrase, mode 0600"
    ) from failures[-1]
