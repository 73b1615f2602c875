"""Who may log in to a service: users with passwords that are made once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

import bcrypt

from lab.keys import write_private

PASSWORD_BYTES = 18
ROUNDS = 5
"""Few: the services hash anew for each request, and nobody guesses a random password."""


def ensure_password(file: Path) -> str:
    """The password that a file holds, made when there is none; only its owner reads it."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(file, secrets.token_urlsafe(PASSWORD_BYTES).encode())
    return file.read_text()


def write_htpasswd(file: Path, passwords: Mapping[str, str]) -> Path:
    """The logins of all users in the one form that docker-registry takes, and lighttpd as well."""
    hashes = (
        (user.encode(), bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)))
        for user, password in passwords.items()
    )
    write_private(file, b"".join(user + b":" + hashed + b"\n" for user, hashed in hashes))
    return file
