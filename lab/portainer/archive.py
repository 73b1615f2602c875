"""Backup archives. Encrypted ones look like the real server's but differ in how the key is made: not exchangeable."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import time
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER = b"AES256-GCM"
SALT, NONCE = 16, 12
STATE = "portainer.json"
FOLDERS = ("certs", "compose", "custom_templates", "tls")
AGAIN = "Please ensure the password is correct and try again"


class BadArchive(Exception):
    """It cannot be read, or not with this password."""


def packed(data: Path, state: str) -> bytes:
    """The server's folder as a compressed archive, paths with a slash in front as recorded."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for folder in FOLDERS:
            for file in sorted((data / folder).rglob("*")):
                if file.is_file():
                    archive.addfile(*_member(f"/{file.relative_to(data)}", file.read_bytes()))
        for name in (f"/export-{int(time.time())}.json", f"/{STATE}"):
            archive.addfile(*_member(name, state.encode()))
    return buffer.getvalue()


def unpacked(content: bytes, data: Path) -> str:
    """Put an archive's files into the folder, and give back the state. BadArchive."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            files = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
            contents = {name.lstrip("/"): file.read() for name, file in files.items() if file}
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadArchive(f"Cannot extract files from the archive. {AGAIN}: gzip: invalid header") from error
    if STATE not in contents:
        raise BadArchive("lab: not an archive of the stand-in")
    for name, found in contents.items():
        target = (data / name).resolve()
        if name.partition("/")[0] in FOLDERS and target.is_relative_to(data):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(found)
    return contents[STATE].decode()


def encrypted(content: bytes, password: str) -> bytes:
    """Header, salt, nonce, and what AES-GCM makes of the content."""
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    return HEADER + salt + nonce + AESGCM(_key(password, salt)).encrypt(nonce, content, None)


def decrypted(content: bytes, password: str) -> bytes:
    """The content again. BadArchive for another password."""
    salt, rest = content[len(HEADER) : len(HEADER) + SALT], content[len(HEADER) + SALT :]
    try:
        return AESGCM(_key(password, salt)).decrypt(rest[:NONCE], rest[NONCE:], None)
    except (InvalidTag, ValueError) as error:
        why = "error decrypting file: cipher: message authentication failed"
        raise BadArchive(f"failed to decrypt the archive. {AGAIN}: {why}") from error


def _key(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


def _member(name: str, content: bytes) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), int(time.time()), 0o600
    return info, io.BytesIO(content)
