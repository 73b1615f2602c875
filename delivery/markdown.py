"""Names in Markdown: whatever they hold, they stay one piece of text in one cell."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

LONGEST = 100
# Look-alikes: no two renderers agree on escapes inside of a table or of code, and Bitbucket shows entities as they are.
LOOK_ALIKES = str.maketrans(
    {
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
        "|": "\N{DIVIDES}",
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        "@": "\N{FULLWIDTH COMMERCIAL AT}",
        "\\": "\N{SET MINUS}",
    }
)
UNSEEN = "\N{MIDDLE DOT}"


def code(name: object, longest: int = LONGEST) -> str:
    """A name as code: no mark-up, mention, line end or invisible character of it has any effect."""
    text = "".join(UNSEEN if _is_unseen(character) else character for character in str(name)).strip()
    text = text.translate(LOOK_ALIKES) or UNSEEN
    return f"`{text if len(text) <= longest else text[: longest - 1] + '…'}`"


def listed(items: Sequence[str], most: int) -> str:
    """The first `most` of pieces that are Markdown already, and how many more there are."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more" if shown else str(len(items)))
    return ", ".join(shown)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table's lines; the cells are Markdown already."""
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def amount(number: int, noun: str) -> str:
    """`1 stack`, `2 stacks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_unseen(character: str) -> bool:
    """Control, format, surrogate and private characters, and separators other than the space."""
    category = unicodedata.category(character)
    return category.startswith("C") or (category.startswith("Z") and character != " ")
