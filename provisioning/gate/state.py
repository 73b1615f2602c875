"""What the gate knows of a stack, on disk before it acts: whatever ends it, the next start goes on from there."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError

KEPT_EVENTS = 200


class Busy(ProvisioningError):
    """Somebody else works on the stack now."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a stack as it was, or is to be, released."""

    commit: str
    """Of the source."""
    author: str
    subject: str
    key: str
    """Tells two versions apart: the commit, the settings, and the images that its tags meant."""
    release: str
    """Commit of the release ref."""
    images: Mapping[str, str]
    """By service, with digest."""
    marks: Mapping[str, str]
    """By service: the label by which its containers are known."""
    scales: Mapping[str, int]
    """How many containers each service has."""
    tags: Mapping[str, str]
    """Images as the files name them, by service."""
    by: str
    """Who or what asked for it."""


@dataclass(frozen=True, kw_only=True)
class Trying:
    """A version on its way."""

    version: Version
    back: bool
    """Whether it ran before, and comes back because another one failed."""
    reason: str = ""
    """Why it comes back."""
    began: str = ""
    waits: bool = False
    """Whether the stack is stopped: it is released, and runs when somebody starts the stack."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A version that does not run, and why."""

    commit: str
    key: str
    reason: str
    again: bool
    """Whether it is looked at again by itself: what was in its way may go."""
    ran: bool = False
    """Whether it was tried out, so that the version before had to come back."""
    tries: int = 1
    images: Mapping[str, str] = field(default_factory=dict)
    """By service, of one that was tried out."""


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything."""

    good: Version | None = None
    before: Version | None = None
    """The good one before the good one."""
    trying: Trying | None = None
    refused: Refused | None = None
    asked: str = ""
    """The commit that the source was last seen at."""
    source_error: str = ""
    held: str = ""
    """A commit that was rolled back by hand: it is not deployed again by itself."""
    repushed: Mapping[str, str] = field(default_factory=dict)
    """By service: an image that its tag means now, and that does not run."""
    since: str = ""
    """When the good one became good."""


class Store:
    """A stack's folder."""

    def __init__(self, folder: Path) -> None:
        """Made when there is something to keep."""
        self.folder = folder

    def load(self) -> State:
        """What was kept; an empty state where nothing was, or what was kept is cut."""
        try:
            return _state(json.loads((self.folder / "state.json").read_text()))
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return State()

    def save(self, state: State, **changes: Any) -> State:
        """Keep it, changed. OSError where the disk is full: the file before stays."""
        state = replace(state, **changes)
        _write(self.folder / "state.json", json.dumps(asdict(state), indent=1))
        return state

    def record(self, version: Version, result: str, **more: Any) -> None:
        """One line more of the history."""
        event = {"at": now(), "result": result, **more, "version": asdict(version)}
        lines = [*filter(_event, self._lines()), json.dumps(event)][-KEPT_EVENTS:]
        _write(self.folder / "history.jsonl", "".join(f"{line}\n" for line in lines))

    def history(self) -> list[dict[str, Any]]:
        """Deployments, the oldest first: `at`, `result`, `version`, and `reason` or `seconds`."""
        return [event for event in map(_event, self._lines()) if event]

    def ran(self, commit: str) -> Version | None:
        """The last version of a commit (its first letters will do) that has run."""
        found = [Version(**event["version"]) for event in self.history() if event["result"] == "running"]
        return next((version for version in reversed(found) if version.commit.startswith(commit)), None)

    def fetched(self) -> None:
        """Portainer has fetched the release just now."""
        (self.folder / "fetched").touch()

    def was_fetched(self, since: str) -> bool:
        """Whether it has since that time."""
        try:
            return (self.folder / "fetched").stat().st_mtime >= datetime.fromisoformat(since).timestamp()
        except (FileNotFoundError, ValueError):
            return False

    @contextmanager
    def alone(self, *, wait: bool) -> Iterator[None]:
        """One at a time works on a stack, whichever process it is. Busy."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise Busy("another run works on it now") from error
            yield

    def _lines(self) -> list[str]:
        try:
            return (self.folder / "history.jsonl").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []


def now() -> str:
    """The time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _event(line: str) -> dict[str, Any] | None:
    """None for a line that was cut."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and {"result", "version"} <= set(found) else None


def _write(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)


def _state(found: Mapping[str, Any]) -> State:
    known = {name.name for name in fields(State)}
    plain = {key: value for key, value in found.items() if key in known}
    trying, refused = found.get("trying"), found.get("refused")
    return State(
        **{
            **plain,
            "good": _version(found.get("good")),
            "before": _version(found.get("before")),
            "trying": Trying(**{**trying, "version": Version(**trying["version"])}) if trying else None,
            "refused": Refused(**refused) if refused else None,
        }
    )


def _version(found: Mapping[str, Any] | None) -> Version | None:
    return Version(**found) if found else None
