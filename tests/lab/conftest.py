"""One copied checkout with one lab for all workers; the last one out removes it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.dead_runs import claim
from tests.lab.checkout import Checkout, copy_checkout


@pytest.fixture(scope="session")
def checkout(testrun_uid: str) -> Iterator[Checkout]:
    """A copy of this checkout with a running lab."""
    if os.geteuid() != 0:
        pytest.skip("guests need root")
    base = Path(tempfile.gettempdir()) / f"hypercompose-{testrun_uid[:8]}"
    base.mkdir(exist_ok=True)
    found = Checkout(base / "checkout")
    with _users(base, +1) as users:
        if users == 1:
            claim(base)
            copy_checkout(found.folder)
            up = found.make("lab-up")
            assert up.code == 0, up.why
    try:
        yield found
    finally:
        with _users(base, -1) as users:
            if users == 0:
                purged = found.make("lab-purge")
                assert purged.code == 0, purged.why
                shutil.rmtree(base)


@contextmanager
def _users(base: Path, change: int) -> Iterator[int]:
    """Count the workers that use the lab, one at a time."""
    with (base / "users").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        count = int(file.read() or 0) + change
        file.seek(0)
        file.truncate()
        file.write(str(count))
        file.flush()
        yield count
