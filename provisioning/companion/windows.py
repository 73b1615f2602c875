"""Windows services restarted over OpenSSH: each by one line of PowerShell, exactly this one.

Windows' own PowerShell takes a line encoded, so no shell in between has anything to quote.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from typing import Protocol

from provisioning.errors import ProvisioningError
from provisioning.host import Address, Result

SERVICE_NAME = r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,254}"
_RESTART = (
    "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; "
    "Restart-Service -Name '{name}' -Force; (Get-Service -Name '{name}').Status"
)
_COMMAND = "powershell -NoProfile -NonInteractive -EncodedCommand {encoded}"
TIMEOUT_S = 120.0
_CLIXML = "#< CLIXML"


class RestartFailed(ProvisioningError):
    """A Windows service does not run again; the files are edited already, and the next run restarts it once more."""


class Ssh(Protocol):
    """Runs commands on hosts."""

    def run(self, address: Address, command: str, *, stdin: bytes = b"", timeout_s: float = 60.0) -> Result:
        """What the command left."""
        ...


def restart_line(name: str) -> str:
    """The PowerShell line that restarts a service and says how it is then."""
    if not re.fullmatch(SERVICE_NAME, name):
        raise ValueError(f"{name!r} is no name of a Windows service: letters, digits, blanks and . _ - are expected")
    return _RESTART.format(name=name)


def command(line: str) -> str:
    """What is run over SSH."""
    return _COMMAND.format(encoded=base64.b64encode(line.encode("utf-16-le")).decode())


def restart(ssh: Ssh, address: Address, names: Sequence[str]) -> None:
    """Restart services in this order. Raises RestartFailed, HostUnreachable, HostKeyMismatch."""
    for name in names:
        result = ssh.run(address, command(restart_line(name)), timeout_s=TIMEOUT_S)
        if result.exit_code != 0 or result.stdout.strip() != "Running":
            said = _plain(result.stderr) or " ".join(result.stdout.split()) or "no output"
            raise RestartFailed(
                f"{address.host}: service {name}: {said[:400]} (exit code {result.exit_code}); the files are edited, "
                "and the next run restarts it again"
            )


def _plain(text: str) -> str:
    """Errors as people read them: PowerShell writes them as XML when its command came encoded."""
    if _CLIXML in text:
        parts = re.findall(r'<S S="Error">(.*?)</S>', text, re.DOTALL)
        text = html.unescape("".join(parts)).replace("_x000D_", " ").replace("_x000A_", " ")
    return " ".join(text.split())
