"""The way into the Proxmox API: does it answer, is it trusted, does it take the token?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from delivery.preflight.check import LOOK_THERE, About, Check, Ladder, told
from delivery.preflight.declared import TOKEN_KEY, TOKEN_VARIABLE
from delivery.preflight.scope import Scope, Secret, in_checkout
from provisioning.errors import ProvisioningError
from provisioning.proxmox import Proxmox, ProxmoxError, ProxmoxUnreachable, ProxmoxUntrusted
from provisioning.trust import handshake

TIMEOUT_S = (2.5, 3.5)
UNAUTHORIZED, HTTPS = 401, 443
TOKEN_REMEDY = f"check {TOKEN_VARIABLE} or {TOKEN_KEY}: user@realm!id=secret, of a token that has not expired"


@dataclass
class Door:
    """How far we got; `stopped_by` says why no further."""

    api: Proxmox
    ladder: Ladder
    stopped_by: str = ""

    def stop(self, detail: str, remedy: str, because: str) -> None:
        """The next check fails, and everything behind it is out of reach."""
        self.stopped_by = because
        self.ladder.failed(detail, remedy, because)


def knock(scope: Scope) -> Door:
    """One call, and what it tells."""
    proxmox, secret = scope.site.proxmox, scope.secret(TOKEN_KEY, TOKEN_VARIABLE)
    ca, tls = in_checkout(proxmox.ca), scope.of_site("proxmox.ca")
    ladder = Ladder(
        About(name="api", subject=proxmox.endpoint, field=scope.of_site("proxmox.endpoint")),
        About(name="tls", subject=proxmox.endpoint, field=tls),
        About(name="tls", subject="for the Proxmox provider", field=tls),
        About(name="token", field=f"{scope.file.name}: {TOKEN_KEY}" if scope.file.secret(TOKEN_KEY) else ""),
    )
    door = Door(Proxmox(proxmox.endpoint, secret.value or "", ca, timeout_s=TIMEOUT_S, tries=1), ladder)
    if ca and not Path(ca).is_file():
        door.stopped_by = f"{ca}, which proxmox.ca names, does not exist"
        ladder.unknown(door.stopped_by, "put the CA's certificate there, or correct proxmox.ca")
        return door
    _ask(door, secret)
    return door


def _ask(door: Door, secret: Secret) -> None:
    began = time.monotonic()
    try:
        version = door.api.get("/version").get("version")
    except ProxmoxUntrusted as error:
        door.ladder.passed("answers")
        door.stop(*told(error), "the certificate of the Proxmox API is not trusted")
    except ProxmoxUnreachable as error:
        door.stop(str(error), LOOK_THERE, f"{door.api.endpoint} does not answer")
    except ProxmoxError as error:
        _refused(door, secret, error)
    except ProvisioningError as error:
        door.stopped_by = "the API token cannot be sent"
        door.ladder.unknown(f"{door.stopped_by}: {error}", TOKEN_REMEDY)
    else:
        door.ladder.passed(f"Proxmox VE {version}, {1000 * (time.monotonic() - began):.0f} ms", "trusted")
        door.ladder.ended(lambda rung: _for_provider(rung, door.api))
        door.ladder.passed("accepted")


def _refused(door: Door, secret: Secret, error: ProxmoxError) -> None:
    if error.status != UNAUTHORIZED:
        door.stop(str(error), "look at pveproxy on the node", "the Proxmox API answers with an error")
        return
    door.ladder.passed("answers", "trusted")
    door.ladder.ended(lambda rung: _for_provider(rung, door.api))
    if secret.value is None:
        door.stopped_by = secret.why_not
        door.ladder.unknown(secret.why_not, secret.remedy)
        return
    door.stop(f"the API refuses it ({error})", TOKEN_REMEDY, "the Proxmox API refuses the token")


def _for_provider(rung: About, api: Proxmox) -> Check:
    """The Proxmox provider only trusts the system's authorities, and SSL_CERT_FILE."""
    url = urlsplit(api.endpoint)
    try:
        handshake(url.hostname or "", url.port or HTTPS, TIMEOUT_S[0])
    except ProvisioningError as error:
        return rung.failed(*told(error))
    return rung.passed("trusted, TLS 1.3")
