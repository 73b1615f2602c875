"""One comment for a pull request: created once, then edited, never somebody else's, whatever goes wrong in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from delivery.review.bitbucket import PATIENCE_S, Bitbucket
from delivery.review.comment import MARKER
from delivery.review.publishing import CodeHost, PublishingError
from lab.bitbucket.serving import serving
from lab.bitbucket.store import Fault, Store
from tests.delivery.review.hosted import COMMENTS, OTHER, READER, SCOPELESS, TOKEN, bitbucket, store_with

FIRST, SECOND = f"{MARKER}\n\nfirst", f"{MARKER}\n\nsecond"


@pytest.fixture
def store() -> Store:
    return store_with()


@pytest.fixture
def api(store: Store) -> Iterator[str]:
    with serving(store) as address:
        yield address


def raws(store: Store) -> list[str]:
    return [comment.raw for comment in store.pull_requests[COMMENTS]]


def say(store: Store, token: str, raw: str) -> None:
    store.add(store.pull_requests[COMMENTS], raw, store.accounts[token])


def test_it_is_created_once_and_then_edited(store: Store, api: str) -> None:
    host: CodeHost = bitbucket(api)
    created, edited = host.publish(FIRST, MARKER), host.publish(SECOND, MARKER)
    assert (created.is_new, edited.is_new) == (True, False)
    assert created.url == edited.url != ""
    assert raws(store) == [SECOND]


def test_it_is_found_behind_a_hundred_others(store: Store, api: str) -> None:
    for number in range(230):
        say(store, OTHER, f"comment {number}")
    say(store, TOKEN, FIRST)
    assert not bitbucket(api).publish(SECOND, MARKER).is_new
    assert [path for method, path in store.asked if "page=3" in path]


@pytest.mark.parametrize("token", [TOKEN, SCOPELESS])
def test_what_others_said_is_never_touched(store: Store, api: str, token: str) -> None:
    foreign = [FIRST, f"> {MARKER}\n> quoted", f"look: {MARKER}"]
    for raw in foreign:
        say(store, OTHER, raw)
    say(store, TOKEN, f"a person may use the same account\n{MARKER}")
    assert bitbucket(api, token).publish(SECOND, MARKER).is_new
    assert not bitbucket(api, token).publish(SECOND, MARKER).is_new
    assert raws(store)[:3] == foreign
    assert raws(store)[4:] == [SECOND]


@pytest.mark.parametrize("account", ["{pipeline}", "pipeline", "{PIPELINE} "])
def test_the_account_may_be_named_where_it_cannot_be_asked_for(store: Store, api: str, account: str) -> None:
    say(store, OTHER, FIRST)
    say(store, TOKEN, FIRST)
    bitbucket(api, SCOPELESS, account=account).publish(SECOND, MARKER)
    assert raws(store) == [FIRST, SECOND]
    assert not [path for _, path in store.asked if path.endswith("/user")]


def test_a_wrong_account_is_noticed_at_once(store: Store, api: str) -> None:
    assert "set BITBUCKET_ACCOUNT_UUID" in bitbucket(api, account="{ann}").publish(FIRST, MARKER).note
    assert bitbucket(api).publish(SECOND, MARKER).note == ""


def test_a_deleted_comment_is_made_anew(store: Store, api: str) -> None:
    bitbucket(api).publish(FIRST, MARKER)
    store.pull_requests[COMMENTS][0].is_deleted = True
    assert bitbucket(api).publish(SECOND, MARKER).is_new


def test_line_ends_of_windows_do_not_hide_it(store: Store, api: str) -> None:
    say(store, TOKEN, FIRST.replace("\n", "\r\n"))
    assert not bitbucket(api).publish(SECOND, MARKER).is_new


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_passes_is_tried_again(store: Store, api: str, status: int, method: str) -> None:
    store.faults.extend([Fault(status=status, method=method)] * 3)
    assert bitbucket(api).publish(FIRST, MARKER).is_new
    assert raws(store) == [FIRST]


@pytest.mark.parametrize(
    "fault", [Fault(status=502, method="POST", is_late=True), Fault(status=0, method="POST", is_late=True, drops=True)]
)
def test_a_comment_whose_answer_got_lost_is_not_made_twice(store: Store, api: str, fault: Fault) -> None:
    store.faults.append(fault)
    assert not bitbucket(api).publish(FIRST, MARKER).is_new
    assert raws(store) == [FIRST]


def test_a_dropped_connection_is_tried_again(store: Store, api: str) -> None:
    store.faults.append(Fault(status=0, method="GET", drops=True))
    assert bitbucket(api).publish(FIRST, MARKER).is_new


def in_90_s() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)


@pytest.mark.parametrize(("header", "least", "most"), [("7", 7, 7), ("date", 30, 90), ("soon", 1, 1), ("", 1, 1)])
def test_retry_after_is_honoured(store: Store, api: str, header: str, least: float, most: float) -> None:
    store.faults.append(Fault(status=429, retry_after=in_90_s() if header == "date" else header))
    pauses: list[float] = []
    bitbucket(api, pause=pauses.append).publish(FIRST, MARKER)
    assert len(pauses) == 1
    assert least <= pauses[0] <= most


def test_pauses_grow_and_end(store: Store, api: str) -> None:
    store.faults.extend([Fault(status=503)] * 100)
    pauses: list[float] = []
    with pytest.raises(PublishingError, match="answers 503; gave up after"):
        bitbucket(api, pause=pauses.append).publish(FIRST, MARKER)
    assert pauses[:4] == [1, 2, 4, 8]
    assert sum(pauses) <= PATIENCE_S


def test_a_wait_beyond_patience_is_not_begun(store: Store, api: str) -> None:
    store.faults.append(Fault(status=429, retry_after="3600"))
    with pytest.raises(PublishingError, match="3600 s later"):
        bitbucket(api, pause=lambda _: pytest.fail("it waited")).publish(FIRST, MARKER)


@pytest.mark.parametrize(
    ("token", "place", "told"),
    [
        ("nobody", {}, r"401 Token is invalid.*BITBUCKET_TOKEN is not valid"),
        (READER, {}, r"403 .*lacks the scope `pullrequest:write`"),
        (TOKEN, {"pull_request": "8"}, r"pull request 8: .*404 .*check BITBUCKET_WORKSPACE"),
        (TOKEN, {"repository": "a/../../user?x="}, "404"),
    ],
)
def test_a_refusal_names_the_scope_or_the_variable(api: str, token: str, place: dict[str, str], told: str) -> None:
    with pytest.raises(PublishingError, match=told):
        bitbucket(api, token, **place).publish(FIRST, MARKER)


def test_a_comment_that_is_too_long_is_refused_by_name(api: str) -> None:
    with pytest.raises(PublishingError, match="longer than 32,767"):
        bitbucket(api).publish(f"{MARKER}\n{'x' * 32_768}", MARKER)


def test_missing_variables_are_named_all_at_once() -> None:
    with pytest.raises(PublishingError) as refused:
        Bitbucket.of_environment({"BITBUCKET_WORKSPACE": "w", "BITBUCKET_TOKEN": ""})
    assert "BITBUCKET_PR_ID is not set (Pipelines sets it for pull requests only)" in str(refused.value)
    assert "`pullrequest:write`" in str(refused.value)
    assert "WORKSPACE" not in str(refused.value)


@pytest.mark.parametrize("token", ["two words", "line\nend", "é", ""])
def test_a_token_that_is_none_is_refused_unseen(token: str) -> None:
    with pytest.raises(PublishingError, match="no token has") as refused:
        bitbucket("http://127.0.0.1:1", token)
    assert not token or token not in str(refused.value)


def test_the_token_goes_to_no_other_host(store: Store, api: str) -> None:
    """A next page elsewhere, and a redirect, are not followed."""
    for _ in range(101):
        say(store, OTHER, "x")
    elsewhere = api.replace("127.0.0.1", "localhost")
    with pytest.raises(PublishingError, match="another host"):
        list(bitbucket(api)._pages(f"{elsewhere}/repositories"))
    store.faults.append(Fault(status=302, method="POST"))
    with pytest.raises(PublishingError, match="302"):
        bitbucket(api).publish(FIRST, MARKER)


def test_a_netrc_does_not_replace_the_token(
    store: Store, api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert bitbucket(api).publish(FIRST, MARKER).is_new


def test_nothing_shows_the_token() -> None:
    assert TOKEN not in repr(bitbucket("http://127.0.0.1:1"))
