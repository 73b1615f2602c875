"""`make state-check`: what must hold for a state to be used and restored, with the remedy for what does not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from setup.locks import is_stale, lock_of
from setup.report import SetupError
from setup.session import Session
from setup.state import secrets
from setup.state.archive import judge, now
from setup.state.checkpoint import Checkpoint
from setup.state.current import Current
from setup.state.store import shown
from setup.state.way_back import way_back

PASS, WARN, FAIL, UNKNOWN = "pass", "warn", "fail", "not checked"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that was looked at."""

    check: str
    result: str
    found: str
    remedy: str = ""


def state_check(session: Session, arguments: Sequence[str]) -> int:
    """Print what holds and what does not; 0 when nothing failed."""
    if unknown := set(arguments) - {"--json"}:
        raise SetupError(f"ARGS={' '.join(sorted(unknown))!r}: state-check takes --json only.")
    rows = list(checked(Current(session)))
    good = all(row.result != FAIL for row in rows)
    if "--json" in arguments:
        about = {"stack": session.stack, "site": session.site.id, "backend": shown(session.site.backend), "good": good}
        print(json.dumps({**about, "checks": [asdict(row) for row in rows]}, indent=2))
    else:
        print(f"stack {session.stack} on site {session.site.id}, {shown(session.site.backend)}")
        for row in rows:
            print(
                f"  {row.result:<11}  {row.check:<11}  {row.found}" + (f"\n{'':28}{row.remedy}" if row.remedy else "")
            )
    return 0 if good else 1


def checked(current: Current) -> Iterator[Row]:
    """A row for each thing, in the order in which they depend on each other."""
    try:
        content = current.content()
    except SetupError as problem:
        yield Row(check="readable", result=FAIL, found=str(problem))
        yield from _unknown("state", "pending", "passphrase", "lock")
        yield from _exports(current)
        return
    if content is None:
        yield _missing(current)
        yield from _unknown("state", "pending", "passphrase", "lock")
    else:
        yield Row(check="readable", result=PASS, found=f"{len(content)} bytes")
        found, reason = current.judged(content)
        if found is None or reason:
            yield Row(check="state", result=FAIL, found=str(reason), remedy=way_back(current))
            yield from _unknown("pending", "passphrase")
        else:
            yield from _sound(current, found)
        yield from _locks(current)
    yield from _exports(current)


def _unknown(*checks: str) -> Iterator[Row]:
    yield from (Row(check=check, result=UNKNOWN, found="the state could not be read") for check in checks)


def _missing(current: Current) -> Row:
    good = current.archive.last_good(current.owner)
    if good is None or not good[1].resources:
        return Row(check="readable", result=PASS, found="no such stack yet; `make up` makes it")
    held = f"there is no such stack, and its last export holds {len(good[1].resources)} resources"
    return Row(check="readable", result=FAIL, found=held, remedy=way_back(current))


def _sound(current: Current, found: Checkpoint) -> Iterator[Row]:
    parts = f"version {found.version}, {len(found.resources)} resources, every parent, provider and dependency is there"
    owner = f"stack {current.owner.stack}, site {found.site or '(not recorded yet)'}"
    yield Row(check="state", result=PASS, found=f"{parts}; {owner}; written {found.written:%Y-%m-%d %H:%M:%S} UTC")
    yield _pending(current, found)
    yield _passphrase(current, found)


def _pending(current: Current, found: Checkpoint) -> Row:
    row = Row(check="pending", result=PASS, found="no operation was cut off")
    if not found.pending:
        return row
    remedy = f"make recover STACK={current.session.stack}"
    return replace(row, result=WARN, found=f"{found.pending} operations were cut off", remedy=remedy)


def _passphrase(current: Current, found: Checkpoint) -> Row:
    row = Row(check="passphrase", result=UNKNOWN, found="the state's secrets are not with a passphrase")
    file = Path(current.session.variables.get("PULUMI_CONFIG_PASSPHRASE_FILE") or os.devnull)
    try:
        fits = secrets.file_opens(file, found.deployment)
    except (OSError, UnicodeDecodeError):
        return replace(row, result=FAIL, found=f"{file} cannot be read", remedy="ask your team for it (chmod 600)")
    if fits is None:
        return row
    if fits:
        return replace(row, result=PASS, found=f"{file} opens it")
    return replace(row, result=FAIL, found=f"{file} does not open it", remedy="ask your team for the one that does")


def _locks(current: Current) -> Iterator[Row]:
    if current.store is None:
        yield Row(check="lock", result=UNKNOWN, found="only Pulumi itself can see locks of this backend")
        return
    found = {name: lock_of(content) for name, content in current.store.locks(current.session.stack).items()}
    if not found:
        yield Row(check="lock", result=PASS, found="nobody holds it")
    for name, lock in found.items():
        if lock is not None and is_stale(current.session, lock):
            yield Row(
                check="lock", result=WARN, found=f"of a dead process: {lock}", remedy="the next make up removes it"
            )
        else:
            remedy = f"wait; if it is dead: pulumi cancel --stack {current.session.stack} (drops every lock)"
            yield Row(check="lock", result=WARN, found=f"held by {lock or name}", remedy=remedy)


def _exports(current: Current) -> Iterator[Row]:
    archive, row = (
        current.archive,
        Row(check="exports", result=WARN, found="none yet", remedy="the next make up makes one"),
    )
    times = archive.times()
    bad = {file.name: reason for file in times.values() if (reason := judge(file, current.owner)[1])}
    for name, reason in bad.items():
        yield replace(row, found=f"{archive.folder / name}: {reason}", remedy="remove it")
    good = [time for time, file in times.items() if file.name not in bad]
    if good:
        found = f"{len(good)} good in {archive.folder}, the newest {_age((now() - good[0]).total_seconds())} old"
        yield replace(row, result=PASS, found=found, remedy="")
    elif not bad:
        yield row


def _age(seconds: float) -> str:
    units = {"days": 86400, "hours": 3600, "minutes": 60}
    return next((f"{seconds / of:.0f} {unit}" for unit, of in units.items() if seconds >= 2 * of), f"{seconds:.0f} s")
