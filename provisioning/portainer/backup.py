"""Portainer's own backup, and a server that becomes what a backup was made of."""

from __future__ import annotations

import base64
from pathlib import Path

from provisioning.errors import ProvisioningError
from provisioning.host import Address
from provisioning.hosts import Hosts
from provisioning.portainer.api import DEPLOY_TIMEOUT_S, Portainer
from provisioning.steps.step import assignments

ENCRYPTED = b"AES256-GCM"
_SCRIPT = (Path(__file__).parent / "restore.sh").read_text()


def backup(server: Portainer, password: str) -> bytes:
    """Everything that the server knows, encrypted. It holds passwords of git and registries in the clear otherwise."""
    content: bytes = server.call("POST", "/backup", json={"password": password}, timeout_s=DEPLOY_TIMEOUT_S, raw=True)
    if not content.startswith(ENCRYPTED):
        raise ProvisioningError(f"{server.place.url}: Portainer's answer is no encrypted backup; nothing was written")
    return content


def restore(hosts: Hosts, address: Address, archive: bytes, password: str) -> str:
    """Put a backup in the place of the data of a host's server. Raises ProvisioningError; then the data are as before.

    Portainer restores only where nobody is administrator, so a server without any runs for the moment, without a port.
    """
    values = assignments({"archive": base64.b64encode(archive).decode(), "password": password})
    body = "\n".join(["set -euo pipefail", *values, _SCRIPT])
    result = hosts.ask(address, f"hypercompose() {{\n{body}\n}}\nhypercompose </dev/null\n", DEPLOY_TIMEOUT_S)
    if result.exit_code != 0:
        said = " ".join(result.stderr.replace(password, "***").split())[-500:]
        raise ProvisioningError(f"{address.host}: the backup was not restored: {said or 'no word of why'}")
    return result.stdout.strip()
