"""The mark on a VM that says whose it is. Pure text: components write it, provisioning reads it."""

from __future__ import annotations

import re

TAG = "hypercompose"
MARK = re.compile(r"hypercompose: (?P<owner>\S+) claim=(?P<nonce>[0-9a-f]+)")


def mark(owner: str, nonce: str) -> str:
    """The description that says whose VM this is; a clone carries it from its first moment."""
    return f"hypercompose: {owner} claim={nonce}"


def read_mark(description: str) -> tuple[str, str] | None:
    """Owner and nonce of a description made by `mark`; None for anybody else's."""
    found = MARK.search(description)
    return (found["owner"], found["nonce"]) if found else None
