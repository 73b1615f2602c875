"""`make state-restore`: puts an export in the place of a state, after a look at both, and keeps what was there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from setup.locks import is_stale, lock_of, remove_stale_locks
from setup.report import SetupError, say
from setup.session import Session
from setup.stack import init, pulumi
from setup.state import secrets
from setup.state.archive import judge
from setup.state.checkpoint import Checkpoint
from setup.state.current import Current
from setup.state.guard import keep, usable
from setup.state.way_back import SECONDS

EVEN_IF_GOOD = "--yes"


def state_restore(session: Session, arguments: Sequence[str]) -> int:
    """Restore the export that `EXPORT` names."""
    if unknown := set(arguments) - {EVEN_IF_GOOD}:
        raise SetupError(f"ARGS={' '.join(sorted(unknown))!r}: state-restore takes {EVEN_IF_GOOD} only.")
    current = Current(session)
    file = _named(current)
    export = _fit(current, file)
    remove_stale_locks(session)
    _refuse_while_used(current)
    content = current.content()
    if content is not None:
        _refuse_to_lose(current, content, export, sure=EVEN_IF_GOOD in arguments)
        say(f"state: what was there is kept in {current.archive.put_aside(content)}")
    elif code := init(session):
        return code
    if code := pulumi(session, "stack", "import", "--file", str(file)):
        return code
    return _proved(session, export, file)


def _named(current: Current) -> Path:
    """The export, from the variable: no shell has read it."""
    said = os.environ.get("EXPORT", "")
    if not said:
        there = "\n  ".join(map(str, current.archive.times().values())) or "none"
        raise SetupError(
            f"EXPORT: name the export to restore, EXPORT=<file>. Exports of stack {current.session.stack}:\n  {there}"
        )
    return Path(said).expanduser().absolute()


def _fit(current: Current, file: Path) -> Checkpoint:
    """The export, if it is this stack's and this site's passphrase opens it."""
    export, reason = judge(file, current.owner)
    if export is None or reason:
        raise SetupError(
            f"EXPORT={str(file)!r}: {reason}; nothing was changed. `make state-check` says which exports are good."
        )
    if "deployment" not in export.content:
        raise SetupError(f"EXPORT={str(file)!r}: it is a checkpoint; expected what `pulumi stack export` prints.")
    passphrase = Path(str(current.session.variables.get("PULUMI_CONFIG_PASSPHRASE_FILE")))
    if passphrase.is_file() and secrets.file_opens(passphrase, export.deployment) is False:
        raise SetupError(
            f"EXPORT={str(file)!r}: {passphrase} does not open it; ask your team for the passphrase that does."
        )
    return export


def _refuse_while_used(current: Current) -> None:
    for content in current.store.locks(current.session.stack).values() if current.store else ():
        lock = lock_of(content)
        if lock is None or not is_stale(current.session, lock):
            raise SetupError(
                f"{current.name} is in use by {lock or 'somebody'}; wait until that has ended. Nothing was changed."
            )


def _refuse_to_lose(current: Current, content: bytes, export: Checkpoint, *, sure: bool) -> None:
    """A sound state knows of things in the world that an older one does not."""
    present = current.sound(content)
    if present is None or sure or present.is_same_as(export):
        return
    raise SetupError(
        f"{current.name} is sound, with {_described(present)}; the export has {_described(export)}. What only the "
        f"present one knows of would stay in the world without a state. To restore it all the same: ARGS={EVEN_IF_GOOD}"
    )


def _described(checkpoint: Checkpoint) -> str:
    return f"{len(checkpoint.resources)} resources, written {checkpoint.written:{SECONDS}} UTC"


def _proved(session: Session, export: Checkpoint, file: Path) -> int:
    """Read it back: only what is sound and holds as many things is a restored state."""
    found = usable(session)
    if found is None or {r["urn"] for r in found.resources} != {r["urn"] for r in export.resources}:
        raise SetupError(f"state: {file} was imported, but the state holds something else; run `make state-check`.")
    keep(session, found)
    if export.pending:  # the engine leaves them out
        say(f"state: {export.pending} operations were cut off before that export: make recover STACK={session.stack}")
    say(f"state: restored {file}, {len(found.resources)} resources; what differs: make drift STACK={session.stack}")
    return 0
