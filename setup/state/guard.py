"""No command builds on a state that is cut, foreign or gone: it is refused, with the command that brings it back."""

from __future__ import annotations

from pathlib import Path

from setup.report import SetupError
from setup.session import Session
from setup.state.checkpoint import Checkpoint
from setup.state.current import Current
from setup.state.way_back import way_back


def usable(session: Session) -> Checkpoint | None:
    """The stack's state; None for a stack that is yet to be made. Raises SetupError where it must not be used."""
    current = Current(session)
    content = current.content()
    if content is None:
        _refuse_if_it_was_there(current)
        return None
    found, reason = current.judged(content)
    if found is None or reason:
        raise SetupError(f"{current.name}: {reason}. {way_back(current)}")
    return found


def keep(session: Session, checkpoint: Checkpoint | None = None) -> Path | None:
    """Export a stack's state, the present one by default. One that must not be used is refused, and never exported."""
    found = checkpoint or usable(session)
    return Current(session).archive.add(found) if found else None


def _refuse_if_it_was_there(current: Current) -> None:
    """A stack that is gone while its last export holds resources was not taken down by `make down`."""
    good = current.archive.last_good(current.owner)
    if good is not None and good[1].resources:
        raise SetupError(
            f"{current.name}: it is gone, although its last export holds {len(good[1].resources)} resources. "
            f"{way_back(current)} (if nothing of it is left in the world: remove {current.archive.folder})"
        )
