"""Follows all stacks of a host: each at its interval, at once when somebody knocks, closely while one is on its way."""

from __future__ import annotations

import logging
import math
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provisioning.errors import ProvisioningError
from provisioning.gate.config import Folders, Gated
from provisioning.gate.engine import Engine
from provisioning.gate.mirror import Mirror
from provisioning.gate.rollout import Rollout
from provisioning.gate.state import Busy, State, Store
from provisioning.gate.status import status
from provisioning.git import Repository

logger = logging.getLogger(__name__)

BEAT_S = 1.0
AT_ONCE = 6
PROBATION_S = 60.0
"""A version that has become good is looked at each second for so long."""
LOOK_AT_SETTINGS_S = 10.0
"""`up` may have written others, or have left something on its way."""
LONGEST_PAUSE_S = 600.0
TAGS_EVERY = 5
"""Looks at the source between two looks at tags."""


def rollout(folders: Folders, name: str, tell: Callable[[str], None] = lambda text: None) -> Rollout:
    """The works of one stack."""
    stack, folder = folders.stack(name), folders.of(name)
    authorities = folder / "authorities.pem"
    if stack.authorities and not (authorities.exists() and authorities.read_text() == stack.authorities):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authorities.write_text(stack.authorities)
    source = Repository(
        url=stack.url,
        ca=str(authorities) if stack.authorities else None,
        user=stack.user,
        password=stack.password,
        folder=folder / "source.git",
    )
    return Rollout(stack, Store(folder), Mirror(folder / "release.git"), Engine(), source, salt(folders), tell)


def salt(folders: Folders) -> bytes:
    """What only this host has; made once."""
    file = folders.data / "salt"
    if not file.exists():
        folders.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = file.with_suffix(f".{secrets.token_hex(4)}")
        new.touch(mode=0o600)
        new.write_bytes(secrets.token_bytes(32))
        try:
            file.hardlink_to(new)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return file.read_bytes()


@dataclass
class _Course:
    """When a stack is looked at."""

    due: float = 0.0
    turned: float = 0.0
    """When the source was asked."""
    retry_at: float = 0.0
    """When something that was refused is tried again."""
    turns: int = 0
    knocked: bool = False
    busy: bool = False


class Service:
    """The gate's loop. Times are monotonic: a clock that jumps changes nothing."""

    def __init__(self, folders: Folders) -> None:
        """Nothing runs before `run`."""
        self._folders = folders
        self._courses: dict[str, _Course] = {}
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self.beat = time.monotonic()

    def run(self, over: threading.Event) -> None:
        """Until the end."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="stack") as pool:
            while not over.is_set():
                self.beat = time.monotonic()
                for name in self._due():
                    pool.submit(self._turn, name)
                self._wake.wait(BEAT_S)
                self._wake.clear()

    def hook(self, token: str) -> bool:
        """Look at the stack whose hook it is, at once; False for nobody's."""
        for name in self._folders.names():
            stack = self._stack(name)
            if stack and stack.hook and secrets.compare_digest(stack.hook.encode(), token.encode()):
                with self._guard:
                    self._courses.setdefault(name, _Course()).knocked = True
                self._wake.set()
                return True
        return False

    def statuses(self) -> list[dict[str, Any]]:
        """Of every stack."""
        found = []
        for name in self._folders.names():
            try:
                found.append(status(self._folders, name, Engine()))
            except ProvisioningError as error:
                found.append(_unreadable(name, str(error)))
        return found

    def results(self) -> Counter[tuple[str, str]]:
        """How many releases of each stack ended how."""
        names = self._folders.names()
        return Counter(
            (name, str(event["result"])) for name in names for event in Store(self._folders.of(name)).history()
        )

    def _due(self) -> list[str]:
        now, due = time.monotonic(), []
        names = self._folders.names()
        with self._guard:
            for gone in set(self._courses) - set(names):
                del self._courses[gone]
            for name in names:
                course = self._courses.setdefault(name, _Course())
                if not course.busy and (course.knocked or now >= course.due):
                    course.busy = True
                    due.append(name)
        return due

    def _turn(self, name: str) -> None:
        course = self._courses.get(name) or _Course()
        try:
            stack = self._folders.stack(name)
            course.due = time.monotonic() + self._look(name, stack, course)
        except Busy:
            course.due = time.monotonic() + 2 * BEAT_S
        except Exception as error:
            course.due = time.monotonic() + 10
            logger.error("%s: %s", name, error, exc_info=not isinstance(error, ProvisioningError | OSError))
        finally:
            course.busy = False

    def _look(self, name: str, stack: Gated, course: _Course) -> float:
        """Seconds until the next look."""
        pause = stack.interval_s or math.inf
        works = rollout(self._folders, name, lambda text: logger.info("%s: %s", name, text))
        with works.store.alone(wait=False):
            state = works.store.load()
            knocked, course.knocked = course.knocked, False
            if knocked or state.trying or not course.turns or time.monotonic() >= course.turned + pause:
                state = self._turned(works, course, knocked=knocked)
                course.turned = time.monotonic()
            elif _is_young(state):
                state = works.probe(state)
        if state.trying or _is_young(state):
            return BEAT_S
        return min(max(course.turned + pause - time.monotonic(), 0), LOOK_AT_SETTINGS_S)

    def _turned(self, works: Rollout, course: _Course, *, knocked: bool) -> State:
        retry = knocked or time.monotonic() >= course.retry_at
        state = works.turn("webhook" if knocked else "poll", retry=retry)
        course.turns += 1
        if course.turns % TAGS_EVERY == 0:
            state = works.look_at_tags(state, "poll")
        if state.refused and retry:
            pause = works.stack.interval_s * 2.0 ** min(state.refused.tries, 10)
            course.retry_at = time.monotonic() + min(pause, LONGEST_PAUSE_S)
        return state

    def _stack(self, name: str) -> Gated | None:
        try:
            return self._folders.stack(name)
        except ProvisioningError:
            return None


def forget(folders: Folders, name: str) -> None:
    """Remove a stack's settings and data."""
    folders.file_of(name).unlink(missing_ok=True)
    shutil.rmtree(folders.of(name), ignore_errors=True)


def _is_young(state: State) -> bool:
    """Whether what runs has become good just now."""
    if state.trying or not state.since:
        return False
    age = (datetime.now(UTC) - datetime.fromisoformat(state.since)).total_seconds()
    return 0 <= age < PROBATION_S


def _unreadable(name: str, reason: str) -> dict[str, Any]:
    keys = ("asked", "running", "release", "by", "author", "since")
    return {
        "stack": name,
        "state": "unreadable",
        "reason": reason,
        "images": {},
        "repushed": {},
        **dict.fromkeys(keys, ""),
    }
