"""A host as seen over SSH: where it is, what a command left, what can go wrong. Imports no SSH library."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.errors import ProvisioningError


class HostUnreachable(ProvisioningError):
    """No SSH session could be had within the deadline."""


class KeyRefused(HostUnreachable):
    """The host answers and refuses our key. Another try changes nothing."""


class ConnectionLost(HostUnreachable):
    """The connection ended while a command ran: how far it came is not known here."""


class HostKeyMismatch(ProvisioningError):
    """The host presented another key than the pinned one. Never retried, never accepted."""


class CommandTimeout(ProvisioningError):
    """A command did not end within its time."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where and how to log in. `host_key` is `<type> <base64>` as in known_hosts."""

    host: str
    user: str
    host_key: str
    port: int = 22


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str
