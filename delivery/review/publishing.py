"""Where a comment goes: what every host of git repositories must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class PublishingError(Exception):
    """The comment is not there; the text says why and what to do, and holds no secret."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A comment that is there now."""

    url: str
    is_new: bool
    """False where it was there and has been edited."""
    note: str = ""
    """What somebody should know or do about it."""


class CodeHost(Protocol):
    """One pull request on one host."""

    def publish(self, text: str, marker: str) -> Published:
        """Make our comment be `text`, whose first line is `marker`: one for a pull request, edited in place.

        Raises PublishingError.
        """
