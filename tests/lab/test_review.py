"""The comment of a real preview, put twice on the lab's Bitbucket: one comment, edited."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.bitbucket.serving import serving
from tests.delivery.review.hosted import COMMENTS, TOKEN, store_with
from tests.lab.checkout import SITE, Checkout, Done

pytestmark = pytest.mark.lab
PLACE = {"BITBUCKET_WORKSPACE": COMMENTS[0], "BITBUCKET_REPO_SLUG": COMMENTS[1], "BITBUCKET_PR_ID": str(COMMENTS[2])}


def reviewed(checkout: Checkout, api: str) -> Done:
    """`make review ARGS=--post` with a pipeline's variables."""
    line = ["make", "-s", "review", "STACKS=acceptance integration", f"SITE={SITE}", "ARGS=--post"]
    env = {**os.environ, **PLACE, "BITBUCKET_TOKEN": TOKEN, "BITBUCKET_API_URL": api}
    done = subprocess.run(line, cwd=checkout.folder, env=env, capture_output=True, text=True, timeout=240, check=False)
    return Done(done.returncode, done.stdout + done.stderr)


def test_a_change_is_told_in_one_comment_that_is_edited(checkout: Checkout) -> None:
    store = store_with()
    with serving(store) as api:
        first = reviewed(checkout, api)
        assert first.code == 0, first.why
        assert "review: comment created" in first.text
        (before,) = [comment.raw for comment in store.pull_requests[COMMENTS]]
        with checkout.settings("acceptance") as settings:
            settings["hypercompose:vms"][0]["count"] = 2
        second = reviewed(checkout, api)
        assert "review: comment edited" in second.text
        (after,) = [comment.raw for comment in store.pull_requests[COMMENTS]]
    assert "`RockyAppVm` `vm-acceptance-app-1` | 5 created" in before
    assert "`vm-acceptance-app-2`" not in before
    assert "`RockyAppVm` `vm-acceptance-app-2` | 5 created" in after
    _holds_no_secret(checkout.folder, before + after + first.text + second.text)


def _holds_no_secret(folder: Path, text: str) -> None:
    """None of the lab's own: what its credentials file exports, and the key."""
    exports = (folder / ".lab" / "credentials.env").read_text()
    secrets = re.findall(r"(?:TOKEN|PASSWORD)='([^']+)'", exports)
    assert len(secrets) >= 2
    assert not [secret for secret in secrets if secret in text]
    assert TOKEN not in text
    assert "PRIVATE KEY" not in text
