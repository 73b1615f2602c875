"""One make at a time changes a stack: a lease beside its state, free again when its owner is dead.

The engine's own lock keeps two runs from writing, but of several that start at once it may refuse all (measured).
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from setup.report import SetupError, say
from setup.session import Session
from setup.state.bucket import Bucket, NotConditional
from setup.state.store import store_at

BEAT_S = 30.0
EXPIRY_S = 120.0
"""After so long without a beat, by the server's clock, its owner is taken for dead."""

BEGAN = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def alone(session: Session) -> Iterator[None]:
    """Hold the stack's lease. Raises SetupError that says who holds it."""
    store = store_at(session.site.backend, session.environment())
    if store is None:
        yield  # only the engine knows this backend
    elif isinstance(store.blobs, Bucket):
        with _in_bucket(session, store.blobs):
            yield
    else:
        with _in_folder(session):
            yield


def refused(stack: str, content: bytes) -> SetupError:
    """What the one is told who comes second."""
    try:
        said = json.loads(content)
        who = f"{said['user']}@{said['host']}, process {said['pid']}, since {said['since']}"
    except (ValueError, KeyError, TypeError):
        who = "somebody"
    return SetupError(f"stack {stack} is being changed by {who!r}; run this again when that has ended.")


def holder(lease: str = "", beat: int = 0) -> bytes:
    """Who we are, for those who find the lease taken."""
    about = {"user": getpass.getuser(), "host": socket.gethostname(), "pid": os.getpid(), "since": BEGAN}
    return json.dumps({"lease": lease, "beat": beat, **about}).encode()


@contextmanager
def _in_folder(session: Session) -> Iterator[None]:
    """A lock of the kernel, which frees it on any death."""
    file = Path(session.site.backend.removeprefix("file://")) / ".hypercompose" / f"{session.stack}.lease"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.open("a+b") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refused(session.stack, file.read_bytes()) from None
        handle.truncate(0)
        handle.write(holder())
        handle.flush()
        yield


@contextmanager
def _in_bucket(session: Session, bucket: Bucket) -> Iterator[None]:
    """An object that only one can make, and that its owner rewrites while it lives."""
    held = Held(bucket=bucket, stack=session.stack, note=session.site.folder / "runs" / f"{session.stack}.lease")
    try:
        held.take()
    except NotConditional:
        say("state: this server knows no writes with a condition; only Pulumi's own lock keeps two runs apart")
        yield
        return
    heart = threading.Thread(target=held.live, daemon=True)
    heart.start()
    try:
        yield
    finally:
        held.over.set()
        heart.join()
        held.give_back()


def _stop_ourselves() -> None:
    """Handed on to the engine, which finishes what it has begun and starts nothing more."""
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(kw_only=True)
class Held:
    """A lease in a bucket. Each beat is another version of it: one that was just renewed is not taken over."""

    bucket: Bucket
    stack: str
    note: Path
    """Where this machine notes the lease it took last: the proof that a dead process was its owner."""
    lost: Callable[[], None] = _stop_ourselves
    beat_s: float = BEAT_S
    expiry_s: float = EXPIRY_S
    over: threading.Event = field(default_factory=threading.Event)
    _id: str = field(default_factory=lambda: str(uuid4()))
    _beats: int = 0
    _tag: str | None = None

    @property
    def _name(self) -> str:
        return f".hypercompose/{self.stack}.lease"

    def take(self) -> None:
        """Make it, or take over that of a dead owner. Raises SetupError that says who has it."""
        if not self._write(None):
            found = self.bucket.tagged(self._name)
            if found is None or not (found.age_s > self.expiry_s or self._is_of_the_dead(found.content)):
                raise refused(self.stack, found.content if found else b"")
            if not self._write(found.tag):
                now = self.bucket.tagged(self._name)
                raise refused(self.stack, now.content if now else b"")
            say("state: took over the lease of a dead process")
        self.note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        note = {"lease": self._id, "pid": os.getpid(), "born": _born(os.getpid())}
        self.note.write_text(json.dumps(note))

    def live(self) -> None:
        """Beat until it is over. Once it is in other hands, nothing may be written any more."""
        while not self.over.wait(self.beat_s):
            try:
                if self._write(self._tag):
                    continue
            except SetupError as problem:
                say(f"state: the lease could not be renewed: {problem}")
                continue
            say("state: somebody else has taken the lease over; stopping")
            self.lost()
            return

    def give_back(self) -> None:
        """Remove it, if it is still ours."""
        found = self.bucket.tagged(self._name)
        if found is not None and found.tag == self._tag:
            self.bucket.remove(self._name)

    def _write(self, tag: str | None) -> bool:
        """The next beat in the place of that version; whether it is there."""
        self._beats += 1
        content = holder(self._id, self._beats)
        written = self.bucket.write_if(self._name, content, tag)
        if written is None:
            # The answer to a write that succeeded may have been lost; its repetition is refused then.
            found = self.bucket.tagged(self._name)
            written = found.tag if found and found.content == content else None
        self._tag = written or self._tag
        return written is not None

    def _is_of_the_dead(self, content: bytes) -> bool:
        """Whether it is the lease that this machine noted last, and that process is gone."""
        try:
            noted = json.loads(self.note.read_bytes())
            same = json.loads(content)["lease"] == noted["lease"]
            return bool(same and _born(int(noted["pid"])) != noted["born"])
        except (OSError, ValueError, KeyError, TypeError):
            return False


def _born(pid: int) -> str | None:
    """What tells a process from a later one with its id; None for one that is gone or waits to be buried."""
    try:
        # after the command's name in parentheses: state, parent, …; the 22nd of all is when it began
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
