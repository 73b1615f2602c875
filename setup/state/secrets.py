"""Whether a passphrase opens a state, told by the state's salt as the engine does it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from setup.state.checkpoint import mapping

ITERATIONS = 1_000_000
"""Of PBKDF2 with SHA-256, in the engine's first and only version of this scheme."""
PROOF = b"pulumi"
"""What the salt encrypts, so that a wrong passphrase is noticed."""


def file_opens(file: Path, deployment: Mapping[str, Any]) -> bool | None:
    """Whether the passphrase in a file does, read as the engine reads it."""
    return opens(file.read_text().strip(), deployment)


def opens(passphrase: str, deployment: Mapping[str, Any]) -> bool | None:
    """Whether it does; None where nothing can be told, as with another provider of secrets."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    provider = mapping(deployment.get("secrets_providers"))
    state = mapping(provider.get("state"))
    if provider.get("type") != "passphrase" or not isinstance(state.get("salt"), str):
        return None
    try:
        scheme, salt, _, nonce, proof = state["salt"].split(":")
        parts = [base64.b64decode(part, validate=True) for part in (salt, nonce, proof)]
    except ValueError:
        return None
    if scheme != "v1":
        return None
    key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), parts[0], ITERATIONS)
    try:
        return AESGCM(key).decrypt(parts[1], parts[2], None) == PROOF
    except (InvalidTag, ValueError):
        return False
