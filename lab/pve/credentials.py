"""Secrets of the lab's users and tokens, and tickets signed with them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
import uuid
from pathlib import Path

from lab.pve.persistence import replace_file
from lab.world import World

TICKET_LIFETIME_S = 7200
_SIGNING_KEY = "signing key"


def load_credentials(world: World, state_dir: Path) -> dict[str, str]:
    """Password by user, secret by token id. Made at the first call and kept in `credentials.json` (0600)."""
    path = state_dir / "credentials.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    wanted = {**{user: secrets.token_urlsafe(18) for user in world.users}, _SIGNING_KEY: secrets.token_hex(32)}
    wanted |= {token: str(uuid.uuid4()) for token in world.tokens}
    if set(wanted) - set(known):
        known = wanted | known
        state_dir.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(known, indent=1).encode())
    return known


class Credentials:
    """Checks tokens and passwords; makes and checks tickets, which survive a restart like Proxmox's own."""

    def __init__(self, known: dict[str, str]) -> None:
        """`known` is what `load_credentials` answers."""
        self._known = known
        self._key = known[_SIGNING_KEY].encode()

    def token_is_valid(self, token: str, secret: str) -> bool:
        """Whether this is the token's secret."""
        return "!" in token and hmac.compare_digest(self._known.get(token, ""), secret)

    def password_is_valid(self, user: str, password: str) -> bool:
        """Whether this is the user's password."""
        return "@" in user and "!" not in user and hmac.compare_digest(self._known.get(user, ""), password)

    def ticket(self, user: str) -> str:
        """`PVE:user:time::signature`."""
        plain = f"PVE:{user}:{int(time.time()):08X}"
        return f"{plain}::{self._signature(plain)}"

    def ticket_user(self, ticket: str) -> str | None:
        """Who the ticket belongs to; None when it is forged or expired."""
        plain, _, signature = ticket.partition("::")
        if not hmac.compare_digest(self._signature(plain), signature) or plain.count(":") != 2:
            return None
        _, user, issued = plain.split(":")
        return user if time.time() - int(issued, 16) < TICKET_LIFETIME_S else None

    def csrf_token(self, user: str) -> str:
        """`time:signature`, wanted with each write that comes with a ticket."""
        issued = f"{int(time.time()):08X}"
        return f"{issued}:{self._signature(issued + user)}"

    def csrf_is_valid(self, user: str, token: str) -> bool:
        """Whether this token was made for this user."""
        issued, _, signature = token.partition(":")
        return hmac.compare_digest(self._signature(issued + user), signature)

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
