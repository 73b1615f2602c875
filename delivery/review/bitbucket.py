"""Bitbucket Cloud's REST API 2.0: our comment on a pull request, created once, then edited."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from delivery.review.publishing import Published, PublishingError

CLOUD = "https://api.bitbucket.org/2.0"
TIMEOUT_S = (5, 30)
PATIENCE_S = 300.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
PAGE = 100
PASSING = frozenset({429, 500, 502, 503, 504})
VARIABLES = {
    "BITBUCKET_WORKSPACE": "Pipelines sets it",
    "BITBUCKET_REPO_SLUG": "Pipelines sets it",
    "BITBUCKET_PR_ID": "Pipelines sets it for pull requests only",
    "BITBUCKET_TOKEN": "a secured variable: an access token of the repository with the scope `pullrequest:write`",
}


class _Passing(Exception):
    """It may work a little later: `after_s` says when, where Bitbucket did."""

    def __init__(self, why: str, after_s: float | None = None) -> None:
        self.after_s = after_s
        super().__init__(why)


class _Refused(Exception):
    """An answer that another try does not change."""

    def __init__(self, status: int, told: str) -> None:
        self.status, self.told = status, told
        super().__init__(f"{status} {told}")


@dataclass(frozen=True, kw_only=True)
class Bitbucket:
    """A pull request. `account`: UUID of the token's own account, where its scopes do not let us ask."""

    workspace: str
    repository: str
    pull_request: str
    token: str = field(repr=False)
    account: str = ""
    api: str = CLOUD
    pause: Callable[[float], None] = time.sleep
    session: requests.Session = field(default_factory=requests.Session, repr=False)

    def __post_init__(self) -> None:
        """Refuse a token that would break the request, before a library shows it."""
        if not re.fullmatch(r"[!-~]+", self.token):
            raise PublishingError("BITBUCKET_TOKEN holds characters that no token has (a space, a line end?)")

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> Bitbucket:
        """From the pipeline's variables; all that are missing are named at once."""
        missing = [f"{name} is not set ({told})" for name, told in VARIABLES.items() if not environ.get(name)]
        if missing:
            raise PublishingError("; ".join(missing))
        return cls(
            workspace=environ["BITBUCKET_WORKSPACE"],
            repository=environ["BITBUCKET_REPO_SLUG"],
            pull_request=environ["BITBUCKET_PR_ID"],
            token=environ["BITBUCKET_TOKEN"],
            account=environ.get("BITBUCKET_ACCOUNT_UUID", ""),
            api=environ.get("BITBUCKET_API_URL", CLOUD).rstrip("/"),
        )

    def publish(self, text: str, marker: str) -> Published:
        """Look, then edit or create. A try that failed in between starts anew: it may have made the comment."""
        waited, pause_s = 0.0, FIRST_PAUSE_S
        while True:
            try:
                return self._publish(text, marker)
            except _Refused as refusal:
                raise PublishingError(self._told(refusal)) from None
            except _Passing as reason:
                wait_s = pause_s if reason.after_s is None else reason.after_s
                if waited + wait_s > PATIENCE_S:
                    told = f"gave up after {waited:.0f} s, as the next try would be {wait_s:.0f} s later"
                    raise PublishingError(f"{self.api}: {reason}; {told}") from None
                self.pause(wait_s)
                waited, pause_s = waited + wait_s, min(pause_s * 2, LONGEST_PAUSE_S)

    def _publish(self, text: str, marker: str) -> Published:
        body = {"content": {"raw": text}}
        account = _uuid(self.account) or self._own_account()
        for comment in self._ours(marker, account):
            try:
                return _published(self._call("PUT", f"{self._comments}/{int(comment['id'])}", body), is_new=False)
            except _Refused as refusal:
                if account or refusal.status not in (403, 404):
                    raise
                # Without an account only Bitbucket can tell whose it is: not ours
        return _published(self._call("POST", self._comments, body), is_new=True, account=account)

    def _own_account(self) -> str:
        """UUID of the token's account; empty where its scopes do not let it ask (`account` is the one)."""
        try:
            return _uuid(self._call("GET", f"{self.api}/user").get("uuid"))
        except _Refused:
            return ""

    def _ours(self, marker: str, account: str) -> Iterator[Mapping[str, Any]]:
        """Comments that start with the marker, the oldest first; of our account, where that is known."""
        for comment in self._pages(f"{self._comments}?pagelen={PAGE}"):
            raw = str((comment.get("content") or {}).get("raw") or "")
            if comment.get("deleted") or comment.get("inline") or raw.partition("\n")[0].strip() != marker:
                continue
            if not account or _author(comment) == account:
                yield comment

    def _pages(self, url: str) -> Iterator[Mapping[str, Any]]:
        """All values of a paginated answer."""
        while url:
            page = self._call("GET", url)
            yield from page.get("values") or ()
            url = str(page.get("next") or "")

    @property
    def _comments(self) -> str:
        place = (quote(part, safe="{}") for part in (self.workspace, self.repository, self.pull_request))
        return "{}/repositories/{}/{}/pullrequests/{}/comments".format(self.api, *place)

    def _call(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        if urlsplit(url)[:2] != urlsplit(self.api)[:2]:
            raise PublishingError(f"{self.api}: its next page is on another host, which must not get the token")
        try:
            answer = self.session.request(
                method, url, json=body, auth=self._signed, timeout=TIMEOUT_S, allow_redirects=False
            )
            found = answer.json() if answer.status_code < 300 else {}
        except (requests.RequestException, ValueError) as error:
            raise _Passing(f"no usable answer ({type(error).__name__})") from None
        if answer.status_code in PASSING:
            raise _Passing(f"answers {answer.status_code}", _retry_after(answer.headers.get("Retry-After")))
        if answer.status_code >= 300:
            raise _Refused(answer.status_code, self._message(answer))
        return found if isinstance(found, Mapping) else {}

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """As `auth`: over a header of ours a .netrc would win."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def _message(self, answer: requests.Response) -> str:
        """What Bitbucket says is wrong, on one line, never with the token."""
        try:
            text = str(answer.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            text = answer.reason or ""
        return " ".join(text.replace(self.token, "***").split())[:200]

    def _told(self, refusal: _Refused) -> str:
        place = f"{self.workspace}/{self.repository}, pull request {self.pull_request}"
        remedy = {
            400: "the comment was not taken; is it longer than 32,767 characters?",
            401: "BITBUCKET_TOKEN is not valid here, or has expired; make another one and put it into the variable",
            403: "the token lacks the scope `pullrequest:write`; make one that has it",
            404: "no such pull request for this token: check BITBUCKET_WORKSPACE, BITBUCKET_REPO_SLUG and "
            "BITBUCKET_PR_ID, and that the token is this repository's",
        }.get(refusal.status, "look at BITBUCKET_API_URL")
        return f"{place}: Bitbucket says {refusal}; {remedy}"


def _published(comment: Mapping[str, Any], *, is_new: bool, account: str = "") -> Published:
    link = ((comment.get("links") or {}).get("html") or {}).get("href") or ""
    author, note = _author(comment), ""
    if account and author and author != account:
        note = f"its author is {author}, not {account}: set BITBUCKET_ACCOUNT_UUID to it, or each run makes another one"
    return Published(url=str(link), is_new=is_new, note=note)


def _author(comment: Mapping[str, Any]) -> str:
    return _uuid((comment.get("user") or {}).get("uuid"))


def _uuid(text: object) -> str:
    """Bitbucket writes braces around it, people leave them out."""
    return str(text or "").strip("{} ").lower()


def _retry_after(header: str | None) -> float | None:
    """Seconds from a number or a date; None where there is neither."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
