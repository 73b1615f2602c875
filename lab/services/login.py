"""Who may log in to the registry: one user with a password that is made once."""

from __future__ import annotations

import secrets
from pathlib import Path

import bcrypt

from lab.keys import write_private

PASSWORD_BYTES = 18
ROUNDS = 5
"""Few: the registry hashes anew for each request, and nobody guesses a random password."""


def ensure_password(folder: Path) -> str:
    """The password of the lab's registry, from a file that only its owner reads."""
    file = folder / "password"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(file, secrets.token_urlsafe(PASSWORD_BYTES).encode())
    return file.read_text()


def write_htpasswd(folder: Path, user: str) -> Path:
    """The login in the only form that docker-registry takes."""
    file, hashed = folder / "htpasswd", bcrypt.hashpw(ensure_password(folder).encode(), bcrypt.gensalt(ROUNDS))
    write_private(file, user.encode() + b":" + hashed + b"\n")
    return file
