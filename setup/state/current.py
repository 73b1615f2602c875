"""The state of a session's stack as it is now: its bytes, whose it has to be, and the exports of it on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from setup.session import Session
from setup.state.archive import Archive
from setup.state.checkpoint import Checkpoint, Owner, Unreadable, read
from setup.state.store import Store, shown, store_at


@dataclass(frozen=True)
class Current:
    """One stack's state, asked anew each time."""

    session: Session

    @property
    def owner(self) -> Owner:
        """Whose it has to be."""
        return Owner(stack=self.session.stack, site=self.session.site.id)

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"state of stack {self.session.stack} in {shown(self.session.site.backend)}"

    @cached_property
    def store(self) -> Store | None:
        """Where it is kept; None where only the engine can read it."""
        return store_at(self.session.site.backend, self.session.environment())

    @cached_property
    def archive(self) -> Archive:
        """Its exports."""
        site = self.session.site
        return Archive.of(site.folder / "exports", self.session.stack, site.keep)

    def content(self) -> bytes | None:
        """Its bytes as they are kept, or as the engine exports them; None where there is no such stack."""
        if self.store is not None:
            return self.store.checkpoint(self.session.stack)
        from setup.stack import exported_by_engine

        return exported_by_engine(self.session)

    def judged(self, content: bytes) -> tuple[Checkpoint | None, str | None]:
        """What could be read of these bytes, and why they must not be used; None where they may."""
        try:
            found = read(content)
        except Unreadable as reason:
            return None, str(reason)
        return found, next(found.faults(self.owner), None)

    def sound(self, content: bytes) -> Checkpoint | None:
        """These bytes, if they may be used."""
        found, reason = self.judged(content)
        return None if reason else found
