"""What counts as a URL: http, https or no scheme, a host, no blanks; `git@host:path` does not."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?"
_HOST = rf"(?:\[[0-9a-fA-F:]+\]|{_LABEL}(?:\.{_LABEL})*)"
_URL = re.compile(rf"(?:(?:https?|ftp|tcp|udp|wss?)://)?(?:[^\s/@]+@)?{_HOST}(?::\d{{1,5}})?(?:[/?#]\S*)?")


def is_url(text: str) -> bool:
    """Whether the real server would take it for a URL."""
    return bool(_URL.fullmatch(text))


def host_and_port(url: str) -> tuple[str, int]:
    """Host and port of a URL, the scheme's own port when it names none."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
