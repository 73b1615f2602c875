"""JSON pointers (RFC 6901), by which values of JSON and YAML files are named."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"(?:[^~]|~[01])*")
INDEX = re.compile(r"0|[1-9][0-9]*")


def problem(at: str) -> str | None:
    """What is wrong with a pointer."""
    if not at.startswith("/"):
        return "expected a pointer that begins with /, e.g. /ConnectionStrings/Default or /Servers/0/Url"
    if not _TOKEN.fullmatch(at):
        return "has a ~ that is neither ~0 (a ~) nor ~1 (a /)"
    return None


def tokens(at: str) -> list[str]:
    """The names and indices on the way."""
    return [token.replace("~1", "/").replace("~0", "~") for token in at.split("/")[1:]]


def up_to(at: str, count: int) -> str:
    """The beginning of a pointer, for messages."""
    return "/".join(at.split("/")[: count + 1]) or "the root"
