"""Text of people and programs: what may be a name, and how anything else is shown."""

from __future__ import annotations

import re

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
"""A DNS label of at most 40 characters: names of instances."""
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}")
PORT_NAME = re.compile(r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?")


def shown(text: str, longest: int) -> str:
    """As any database keeps it and any terminal shows it: no control characters but line ends, not longer than that."""
    kept = "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return kept if len(kept) <= longest else f"{kept[: longest - 1]}…"


def is_domain(text: str) -> bool:
    """Below which there is room for names."""
    return len(text) <= 189 and DOMAIN.fullmatch(text) is not None


def is_plain(text: object, longest: int) -> bool:
    """One line of printable text."""
    return isinstance(text, str) and 0 < len(text) <= longest and text.isprintable()
