"""A secret in every place for a value: none of them gets into the comment, onto the host, into an error or a log."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from delivery.review.comment import MARKER, comment
from delivery.review.preview import digest
from delivery.review.publishing import PublishingError
from delivery.review.redact import Redactor
from delivery.review.section import Reviewed
from lab.bitbucket.serving import serving
from lab.bitbucket.store import Fault, Store
from setup.places import CHECKOUT
from tests.delivery.review import recorded
from tests.delivery.review.canary import Canaries
from tests.delivery.review.hosted import COMMENTS, TOKEN, bitbucket, store_with

GOOD = sorted(set(recorded.NAMES) - {"failed"})
ERROR = """error: update failed: {0}
error: Pulumi.a.yaml: registry.user: "canary-quoted", expected a name; hunter2 is not in it
    https://ops:canary-in-url@git.example.com: 401, GIT_PASSWORD=canary-in-env, Bearer canary-bearer
"""


@pytest.mark.parametrize("name", GOOD)
def test_no_value_of_a_preview_is_in_the_comment(name: str) -> None:
    canaries = Canaries()
    found = digest("acceptance", canaries.preview(recorded.text(name)), 0, Redactor(), "lab")
    text = comment([Reviewed(digest=found)])
    assert len(canaries.all) > 100
    assert list(canaries.found_in(text)) == list(canaries.found_in(found.to_json())) == []
    assert text == comment([recorded.reviewed(name)])  # and everything else is there


def test_the_canaries_would_be_found() -> None:
    canaries = Canaries()
    said = canaries.preview(recorded.text("changed"))
    assert set(canaries.found_in(json.loads(said.partition("\n")[2])["config"]["hypercompose:site"]))
    assert list(canaries.found_in("only hunter2"))


def test_no_secret_of_an_error_is_in_the_comment() -> None:
    secrets = ["canary-known-hunter2", "canary of\nseveral lines, hunter2 each"]
    redactor = Redactor.of_environment({"HYPERCOMPOSE_GIT_PASSWORD": secrets[0], "PROXMOX_VE_API_TOKEN": secrets[1]})
    message = ERROR.format(" ".join(secrets)).replace("hunter2 is", "it is")
    said = json.dumps({"steps": [], "diagnostics": [{"severity": "error", "message": message}]})
    found = digest("a", said, 255, redactor)
    assert len(found.errors) == 3
    assert not re.search("canary|hunter2", comment([Reviewed(digest=found)]))


def test_what_is_posted_and_logged_holds_no_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    canaries, store = Canaries(), store_with()
    found = digest("acceptance", canaries.preview(recorded.text("replaced")), 0, Redactor(), "lab")
    with serving(store) as api:
        bitbucket(api).publish(comment([Reviewed(digest=found)]), MARKER)
    assert list(canaries.found_in(store.pull_requests[COMMENTS][0].raw)) == []
    assert list(canaries.found_in(caplog.text)) == []
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 500])
def test_no_error_of_the_host_shows_the_token_or_the_comment(status: int) -> None:
    store = store_with()
    store.faults.extend(Fault(status=status) for _ in range(50))
    with serving(store) as api, pytest.raises(PublishingError) as refused:
        bitbucket(api).publish(f"{MARKER}\ncanary-text", MARKER)
    assert TOKEN not in str(refused.value)
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_command_shows_no_value_either(tmp_path: Path) -> None:
    """As a pipeline runs it: what is printed, on both streams, and what it leaves on disk."""
    canaries, store = Canaries(), Store()
    line = [sys.executable, "-m", "delivery.review"]
    preview = canaries.preview(recorded.text("gone"))
    one = subprocess.run(
        [*line, "digest", "--stack=a"], input=preview, capture_output=True, text=True, cwd=CHECKOUT, check=True
    )
    file = tmp_path / "digest"
    file.write_text(one.stdout)
    with serving(store) as api:
        env = {"BITBUCKET_WORKSPACE": "w", "BITBUCKET_REPO_SLUG": "r", "BITBUCKET_PR_ID": "1", "BITBUCKET_TOKEN": TOKEN}
        whole = subprocess.run(
            [*line, "comment", "--post", str(file)],
            capture_output=True,
            text=True,
            cwd=CHECKOUT,
            env={**env, "BITBUCKET_API_URL": api},
            check=False,
        )
    assert whole.returncode == 1  # the token is nobody's
    assert "401" in whole.stderr
    for text in (one.stdout, one.stderr, whole.stdout, whole.stderr):
        assert list(canaries.found_in(text)) == []
        assert TOKEN not in text
