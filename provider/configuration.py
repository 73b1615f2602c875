"""The provider's own configuration: how to reach the site."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provider.resource import Context, Properties
from provisioning.claim import Problem
from provisioning.proxmox import Proxmox

if TYPE_CHECKING:
    from provisioning.ssh import Ssh

CHECKOUT = Path(__file__).resolve().parent.parent
TOKEN_VARIABLE = "PROXMOX_VE_API_TOKEN"  # noqa: S105  the Proxmox provider reads the same one
TOKEN = re.compile(r"[^@!=\s]+@[^@!=\s]+![^@!=\s]+=\S+")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Endpoint, trust and credentials. Credentials fall back to the environment."""

    endpoint: str
    token: str
    ca: str | None
    ssh_private_key: str | None

    @staticmethod
    def failures(inputs: Properties) -> Iterator[Problem]:
        """Reasons to refuse the configuration."""
        token = inputs.get("apiToken") or os.environ.get(TOKEN_VARIABLE, "")
        if isinstance(token, str) and not TOKEN.fullmatch(token):
            found = "missing" if not token else "not of the form user@realm!id=secret"
            yield Problem(
                property="apiToken",
                reason=f"{found}; set {TOKEN_VARIABLE}, or `pulumi config set --secret proxmoxve:apiToken`",
            )
        ca = inputs.get("ca")
        if isinstance(ca, str) and not (CHECKOUT / ca).is_file():
            yield Problem(property="ca", reason=f"{CHECKOUT / ca} does not exist; it is proxmox.ca of the site file")

    @classmethod
    def parse(cls, inputs: Properties) -> Configuration:
        """From checked inputs."""
        ca = inputs.get("ca")
        return cls(
            endpoint=str(inputs["endpoint"]),
            token=str(inputs.get("apiToken") or os.environ.get(TOKEN_VARIABLE, "")),
            ca=str(CHECKOUT / ca) if ca else None,
            ssh_private_key=inputs.get("sshPrivateKey"),
        )

    def context(self, warn: Callable[[str, str], None], say: Callable[[str, str], None]) -> Context:
        """What the resources share."""
        return Context(
            proxmox=Proxmox(self.endpoint, self.token, self.ca),
            load_ssh=self._load_ssh,
            warn=warn,
            say=say,
        )

    def _load_ssh(self) -> Ssh:
        from provisioning.keys import key_loader
        from provisioning.ssh import Ssh

        return Ssh(key_loader(self.ssh_private_key))
