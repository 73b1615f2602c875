"""The one call that the gate makes at Portainer: there may be a commit."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

from provisioning.gate.config import Gated

TIMEOUT_S = 5


def knock(stack: Gated) -> str:
    """Empty when Portainer has heard it; else why not. It answers at once, and says nothing of what comes of it."""
    place = urlsplit(stack.portainer)
    try:
        trust = ssl.create_default_context(cadata=stack.certificate)
        connection = http.client.HTTPSConnection(place.hostname or "", place.port, timeout=TIMEOUT_S, context=trust)
        try:
            connection.request("POST", f"/api/stacks/webhooks/{stack.webhook}")
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
    except (OSError, ssl.SSLError, http.client.HTTPException) as error:
        return f"Portainer does not answer at {stack.portainer} ({type(error).__name__})"
    if answer.status == 404:
        return "Portainer has no such stack yet"
    return "" if answer.status < 300 else f"Portainer says {answer.status} to its webhook"
