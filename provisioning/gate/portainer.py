"""The one call that the gate makes at Portainer: there may be a commit."""

from __future__ import annotations

import http.client
import shutil
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from provisioning.gate.config import Gated
from provisioning.gate.mirror import FILE

TIMEOUT_S = 5
DATA = "portainer_data"
FETCH_S = 20.0
"""Longer than Portainer takes to fetch a release."""


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


def unstick(stack: Gated, data: Path | None) -> bool:
    """Remove what a fetch that broke off has left in Portainer's folder of the stack; whether there was any.

    Portainer 2.23 refuses every later fetch into a folder with a `.git` in it, and tells nobody (measured). `data` is
    its data on this host; None: it is on another one.
    """
    found = False
    for left in data.glob("compose/*/.git") if data else ():
        try:
            is_old = time.time() - left.stat().st_mtime > FETCH_S
            if is_old and f"for the stack {stack.name}: " in (left.parent / FILE).read_text().partition("\n")[0]:
                shutil.rmtree(left)
                found = True
        except OSError:
            continue  # it went by itself
    return found
