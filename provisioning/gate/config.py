"""What the gate of a host, and each of its stacks, is told: JSON files that root alone may read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError

SETTINGS = Path("/etc/hypercompose/gate")
DATA = Path("/var/lib/hypercompose-gate")


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the gate listens, and who may read releases."""

    address: str
    """Empty: everywhere."""
    port: int
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Gated:
    """One stack that is gated."""

    name: str
    url: str
    ref: str
    path: str
    additional: tuple[str, ...]
    user: str
    password: str = field(repr=False)
    authorities: str
    """PEM text; empty: those of the system."""
    env: Mapping[str, str] = field(repr=False)
    allowed_paths: tuple[str, ...]
    interval_s: int
    timeout_s: int
    commit: str
    """That `up` has published; empty where others push."""
    repushed: str
    """`report` or `deploy`: what to do about a tag that was pushed again with another image."""
    running: bool
    """False: nothing is deployed."""
    hook: str = field(repr=False)
    portainer: str
    """`https://host:port`."""
    certificate: str
    """That Portainer must show."""
    webhook: str = field(repr=False)
    """Id of the stack's webhook at Portainer."""
    hide: tuple[str, ...] = field(repr=False)
    """More values that nothing may show."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that nothing may show."""
        return (self.password, self.hook, self.webhook, *self.hide)


@dataclass(frozen=True)
class Folders:
    """Where settings and data lie."""

    settings: Path = SETTINGS
    data: Path = DATA

    def server(self) -> Server:
        """The gate's own settings."""
        return Server(**_read(self.settings / "gate.json"))

    def names(self) -> list[str]:
        """The stacks there are."""
        return sorted(file.stem for file in (self.settings / "stacks").glob("*.json"))

    def stack(self, name: str) -> Gated:
        """One stack. ProvisioningError where there is none, or its settings are those of another gate."""
        file = self.file_of(name)
        found = _read(file)
        try:
            lists = {key: tuple(found[key]) for key in ("additional", "allowed_paths", "hide")}
            return Gated(**{**found, **lists})
        except (KeyError, TypeError) as error:
            raise ProvisioningError(f"{file}: written for another version of the gate; run `pulumi up`") from error

    def file_of(self, name: str) -> Path:
        """Where a stack's settings lie."""
        return self.settings / "stacks" / f"{name}.json"

    def of(self, name: str) -> Path:
        """Where a stack's data lies."""
        return self.data / "stacks" / name


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise ProvisioningError(f"{file}: no such file; run `pulumi up` for this host") from error
    except ValueError as error:
        raise ProvisioningError(f"{file}: not JSON ({error}); run `pulumi up --refresh` for this host") from error
    return found
