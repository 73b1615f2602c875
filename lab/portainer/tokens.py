"""JSON web tokens signed with a secret of this process, and API keys that are stored hashed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from typing import Any

Claims = dict[str, Any]
KEY_PREFIX = "ptr_"


class Tokens:
    """Makes and reads JWTs; none outlives the process, since the secret does not."""

    def __init__(self) -> None:
        """A new secret."""
        self._secret = secrets.token_bytes(32)
        self._revoked: set[str] = set()

    def issue(self, user: Claims, lifetime_s: float, *, force_change: bool) -> tuple[str, int]:
        """A token and when it ends, as seconds since 1970."""
        now = int(time.time())
        claims = {
            "id": user["Id"],
            "username": user["Username"],
            "role": user["Role"],
            "scope": "default",
            "forceChangePassword": force_change,
            "exp": now + int(lifetime_s),
            "iat": now,
            "jti": str(uuid.uuid4()),
        }
        signed = f"{_packed({'alg': 'HS256', 'typ': 'JWT'})}.{_packed(claims)}"
        return f"{signed}.{self._signature(signed)}", now + int(lifetime_s)

    def claims(self, token: str) -> Claims | None:
        """What a token says, None when it is not ours, has ended or was revoked."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims: Claims = json.loads(_unpacked(signed.partition(".")[2]))
        return None if claims["exp"] <= time.time() or claims["jti"] in self._revoked else claims

    def revoke(self, token: str) -> None:
        """Make a token invalid before its time."""
        if claims := self.claims(token):
            self._revoked.add(claims["jti"])

    def _signature(self, signed: str) -> str:
        return _base64(hmac.digest(self._secret, signed.encode(), "sha256"))


def new_api_key() -> str:
    """A key as it is shown once."""
    return KEY_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_digest(key: str) -> str:
    """What is stored of a key."""
    return base64.b64encode(hashlib.sha256(key.encode()).digest()).decode()


def _packed(value: Claims) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
