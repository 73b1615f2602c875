"""A pull request on the lab's Bitbucket, and us in front of it."""

from __future__ import annotations

from typing import Any

from delivery.review.bitbucket import Bitbucket
from lab.bitbucket.store import Account, Store

TOKEN, OTHER, READER, SCOPELESS = "token-of-the-pipeline", "token-of-a-person", "token-that-reads", "token-without-user"
WRITE = frozenset({"pullrequest:write", "repository"})
COMMENTS = ("casino", "hypercompose", 7)


def store_with() -> Store:
    """A pull request without comments; tokens of the pipeline and of others."""
    accounts = {
        TOKEN: Account(uuid="{pipeline}", name="Pipeline", scopes=WRITE | {"account"}),
        OTHER: Account(uuid="{ann}", name="Ann", scopes=WRITE | {"account"}),
        READER: Account(uuid="{reader}", name="Reader", scopes=frozenset({"pullrequest", "account"})),
        SCOPELESS: Account(uuid="{pipeline}", name="Pipeline", scopes=WRITE),
    }
    return Store(accounts=accounts, pull_requests={COMMENTS: []})


def bitbucket(api: str, token: str = TOKEN, **more: Any) -> Bitbucket:
    """Us, without pauses."""
    place = {"workspace": "casino", "repository": "hypercompose", "pull_request": "7", "pause": lambda _: None}
    return Bitbucket(**{**place, "token": token, "api": api, **more})
