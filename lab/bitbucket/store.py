"""What the server holds: who may do what, pull requests with their comments, and faults that wait to happen."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

LONGEST = 32_767


@dataclass(frozen=True, kw_only=True)
class Account:
    """Behind a token: a person, or the token itself where it is one of a repository."""

    uuid: str
    name: str
    scopes: frozenset[str]


@dataclass(kw_only=True)
class Comment:
    """One comment, never forgotten: a deleted one stays in the list, empty."""

    id: int
    raw: str
    account: Account
    is_deleted: bool = False
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    updated: str = ""

    def edit(self, raw: str) -> None:
        """Another text; the time tells."""
        self.raw, self.updated = raw, datetime.now(UTC).isoformat()

    def body(self, url: str) -> dict[str, Any]:
        """As `pullrequest_comment` of the OpenAPI."""
        return {
            "type": "pullrequest_comment",
            "id": self.id,
            "created_on": self.created,
            "updated_on": self.updated or self.created,
            "content": {"type": "rendered", "raw": self.raw, "markup": "markdown", "html": ""},
            "user": {"type": "user", "uuid": self.account.uuid, "display_name": self.account.name},
            "deleted": self.is_deleted,
            "pending": False,
            "links": {"self": {"href": f"{url}/{self.id}"}, "html": {"href": f"{url}#comment-{self.id}"}},
        }


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An answer instead of the right one; `is_late`: after the work was done."""

    status: int
    method: str = ""
    retry_after: str = ""
    is_late: bool = False
    drops: bool = False
    """The connection ends without an answer."""


@dataclass
class Store:
    """Everything, in memory."""

    accounts: dict[str, Account] = field(default_factory=dict)
    """By token."""
    pull_requests: dict[tuple[str, str, int], list[Comment]] = field(default_factory=dict)
    """By workspace, repository, number."""
    faults: deque[Fault] = field(default_factory=deque)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each call."""
    last_id: int = 0

    def add(self, comments: list[Comment], raw: str, account: Account) -> Comment:
        """A new comment at the end."""
        self.last_id += 1
        comment = Comment(id=self.last_id, raw=raw, account=account)
        comments.append(comment)
        return comment

    def fault(self, method: str) -> Fault | None:
        """The next fault, if it is for calls like this; it happens once."""
        if self.faults and self.faults[0].method in ("", method):
            return self.faults.popleft()
        return None
