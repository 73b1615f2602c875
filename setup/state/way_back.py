"""The last good state of a stack, and the command that restores it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from setup.state.checkpoint import Checkpoint
from setup.state.current import Current

SECONDS = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Good:
    """A sound state that is not the present one."""

    checkpoint: Checkpoint
    file: Path | None
    """The export that holds it; None for a copy that the engine kept in the backend."""


def last_good(current: Current) -> Good | None:
    """The newest sound one, by when the engine wrote it: somebody else may have updated the stack since our export."""
    exported = list(_exported(current))
    newest = max((*exported, *_copied(current)), key=lambda good: good.checkpoint.written, default=None)
    # An update that changed nothing is newer, but no other state: then the export will do.
    same = (good for good in exported if newest and good.checkpoint.is_same_as(newest.checkpoint))
    return next(same, newest)


def _exported(current: Current) -> Iterator[Good]:
    found = current.archive.last_good(current.owner)
    if found is not None:
        yield Good(found[1], found[0])


def _copied(current: Current) -> Iterator[Good]:
    """The newest sound copies among those after an update, and the one before the last write."""
    for names in current.store.copies(current.session.stack) if current.store else ():
        for content in names:
            if (found := current.sound(content)) is not None:
                yield Good(found, None)
                break


def way_back(current: Current) -> str:
    """A sentence that ends with the command that restores the last good state."""
    good = last_good(current)
    if good is None:
        return (
            f"No good export is in {current.archive.folder} and no good copy in the backend; ask those who work on the "
            f"stack as well for theirs, then: {restore_command(current, '<file>')}"
        )
    file = good.file or current.archive.add_copy(good.checkpoint)
    origin = "The last good export" if good.file else "The last good one, a copy that Pulumi kept in the backend,"
    command = restore_command(current, str(file))
    return f"{origin} is of {good.checkpoint.written:{SECONDS}} UTC; to restore it: {command}"


def restore_command(current: Current, export: str) -> str:
    """What to type, word for word."""
    words = {"STACK": current.session.stack}
    if current.session.variables.get("PULUMI_OPTION_CONFIG_FILE"):  # on another site than the stack's own
        words["SITE"] = current.session.site.id
    words["EXPORT"] = export
    return "make state-restore " + " ".join(f"{k}={shlex.quote(v.replace('$', '$$'))}" for k, v in words.items())
