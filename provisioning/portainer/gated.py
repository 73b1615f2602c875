"""What is asked of a host's gate, over SSH: to follow a stack, to tell how it stands, to forget it."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.host import Address, Result
from provisioning.hosts import Hosts
from provisioning.steps.step import Value, assignments

ASK_TIMEOUT_S = 60
PULLS_S = 900
"""What fetching images may take, beside the deadline of the stack itself."""
LONGEST_S = 3600.0
_FOLLOW = """umask 077
file=/etc/hypercompose/gate/stacks/$stack.json
printf %s "$settings" >"$file.new"
mv -f -- "$file.new" "$file"
hypercompose-gate sync "$stack" --by "$by"
"""
_TELL = """file=/etc/hypercompose/gate/stacks/$stack.json
if [ ! -e "$file" ]; then echo absent && exit; fi
sha256sum "$file" | cut -c 1-64
hypercompose-gate status "$stack" --json
"""
_ROLLBACK = """hypercompose-gate rollback "$stack" --to="$to" --by="$by"
"""
_HISTORY = """hypercompose-gate history "$stack" --json
"""
_FORGET = """if command -v hypercompose-gate >/dev/null; then hypercompose-gate remove "$stack"; fi
"""


class GateRefused(ProvisioningError):
    """The stack does not run as asked; what ran before does."""

    def __init__(self, text: str, status: Mapping[str, Any]) -> None:
        """Take the reason, and the gate's status where it gave one."""
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Gate:
    """The gate of one host."""

    hosts: Hosts
    address: Address

    def follow(self, stack: str, settings: Mapping[str, Any], deadline_s: float) -> dict[str, Any]:
        """Hand over a stack's settings, and wait until it is as they say; its status. Raises GateRefused."""
        values: dict[str, Value] = {"stack": stack, "settings": json.dumps(settings), "by": f"up by {_me()}"}
        return _ended(self._run(_FOLLOW, values, deadline_s + PULLS_S))

    def rollback(self, stack: str, to: str) -> dict[str, Any]:
        """Bring back a version that ran: of the commit `to`, or the one before; its status. Raises GateRefused."""
        return _ended(self._run(_ROLLBACK, {"stack": stack, "to": to, "by": f"rollback by {_me()}"}, LONGEST_S))

    def history(self, stack: str) -> list[dict[str, Any]]:
        """Its releases, the newest first: see `provisioning.gate.state.Store.record`."""
        done = self._run(_HISTORY, {"stack": stack}, ASK_TIMEOUT_S)
        if done.exit_code:
            raise ProvisioningError(f"{stack}: the gate of its host tells no history: {_said(done)}")
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def status(self, stack: str, settings: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """How it stands; None where the gate does not know it. `settings`: also whether it follows these."""
        done = self._run(_TELL, {"stack": stack}, ASK_TIMEOUT_S)
        if done.exit_code:
            raise ProvisioningError(f"the gate does not tell how {stack} stands: {done.stderr.strip()[-300:]}")
        first, _, rest = done.stdout.partition("\n")
        if first == "absent":
            return None
        found: dict[str, Any] = json.loads(rest)
        if settings is not None and first != hashlib.sha256(json.dumps(settings).encode()).hexdigest():
            found |= {"state": "changed", "reason": "its settings on the host are others than ours"}
        return found

    def forget(self, stack: str) -> None:
        """Follow it no more."""
        done = self._run(_FORGET, {"stack": stack}, ASK_TIMEOUT_S)
        if done.exit_code:
            raise ProvisioningError(f"the gate does not forget {stack}: {done.stderr.strip()[-300:]}")

    def _run(self, script: str, values: Mapping[str, Value], timeout_s: float) -> Result:
        body = "\n".join(["set -euo pipefail", *assignments(values), script])
        return self.hosts.ask(self.address, f"hypercompose() {{\n{body}\n}}\nhypercompose </dev/null\n", timeout_s)


def _ended(done: Result) -> dict[str, Any]:
    status = _status(done)
    if done.exit_code:
        raise GateRefused(_said(done).removeprefix("refused: ").removeprefix("failed: "), status)
    return status


def _said(done: Result) -> str:
    said = [line for line in done.stderr.splitlines() if not line.startswith("…")]
    return " ".join(said[-3:]) or "it ended without a word"


def _status(done: Result) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {}
    return found


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
