"""The whole comment: as much of each stack as fits, the gravest first; counts are never cut."""

from __future__ import annotations

from collections.abc import Sequence

from delivery.markdown import amount, code, listed
from delivery.review.section import Length, Reviewed, counts, section

LIMIT = 32_000
"""Bytes. Bitbucket takes less than 32,768 characters."""
MARKER = "[//]: # (hypercompose-review)"
"""First line: how the comment is found again. Bitbucket shows HTML comments, and hides a link that nothing uses."""
NAMES = 60
NOTES = 500
"""Bytes kept free for what is said about the cut."""


def comment(
    reviewed: Sequence[Reviewed],
    *,
    commit: str = "",
    left_out: Sequence[str] = (),
    removed: Sequence[str] = (),
    limit: int = LIMIT,
) -> str:
    """Markdown of at most `limit` bytes. `left_out`: affected, without a preview; `removed`: without settings now."""
    ordered = sorted(reviewed, key=lambda one: (one.gravity, one.digest.stack))
    head = _head(ordered, commit, left_out, removed)
    parts = _fitted(ordered, limit - _size("\n".join(head)) - NOTES)
    return "\n".join([*head, *parts]) + "\n"


def _head(ordered: list[Reviewed], commit: str, left_out: Sequence[str], removed: Sequence[str]) -> list[str]:
    at = f" at {code(commit[:12])}" if commit else ""
    lines = [MARKER, "", f"## What this change does{at}", ""]
    digests = [one.digest for one in ordered]
    failed = sum(bool(digest.errors) for digest in digests)
    told = f"{amount(len(digests), 'stack')} previewed{f', **{failed} failed**' if failed else ''}"
    lines.append(f"{told}: {counts(digests)}." if digests else "No stack is affected.")
    if left_out:
        lines += ["", f"Affected as well, not previewed ({len(left_out)}): {_names(left_out)}."]
    if removed:
        lines += ["", f"**Settings removed** ({len(removed)}): {_names(removed)}. That destroys nothing by itself."]
    return lines


def _names(stacks: Sequence[str]) -> str:
    return listed([code(stack, 40) for stack in sorted(stacks)], NAMES)


def _fitted(ordered: list[Reviewed], room: int) -> list[str]:
    """One line for each stack at least, as far as that fits; then the gravest get all the room there is."""
    lines = [section(one, Length.LINE) for one in ordered]
    while lines and _size("\n".join(lines)) > room:
        lines.pop()
    hidden = ordered[len(lines) :]
    lengths, room = [Length.LINE] * len(lines), room - _size("\n".join(lines))
    for index, one in enumerate(ordered[: len(lines)]):
        for length in (Length.FULL, Length.SHORT, Length.COUNTS):
            text = section(one, length)
            more = _size(text) - _size(lines[index])
            if more <= room:
                lines[index], lengths[index], room = text, length, room - more
                break
    return [*lines, *_notes(lengths, hidden)]


def _notes(lengths: list[Length], hidden: list[Reviewed]) -> list[str]:
    notes = []
    if hidden:
        told = counts([one.digest for one in hidden])
        notes += ["", f"And {amount(len(hidden), 'stack')} more: {told}."]
    short = sum(length is not Length.FULL for length in lengths)
    if short or hidden:
        told = f"{amount(short + len(hidden), 'stack')} told in short"
        notes += ["", f"_Cut to fit: {told}, all counted; `make preview STACK=…` shows everything._"]
    return notes


def _size(text: str) -> int:
    return len(text.encode()) + 1
