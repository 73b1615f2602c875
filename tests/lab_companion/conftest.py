"""One lab with a companion for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab_companion.companion import Companion, running
from tests.lab_guests.sites import may_run_guests


@pytest.fixture(scope="session")
def companion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Companion]:
    """It is made by the first test that needs it."""
    if not may_run_guests():
        pytest.skip("guests need root")
    with running(tmp_path_factory.mktemp("companion")) as found:
        yield found
