"""One lab with a guest of each family for all steps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab_guests.sites import make_lab, may_run_guests
from tests.steps.guests import StepGuests, boot_guests


@pytest.fixture(scope="session")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StepGuests]:
    """A running lab named `labsteps`."""
    if not may_run_guests():
        pytest.skip("guests need root")
    lab = make_lab(tmp_path_factory.mktemp("labsteps"), "labsteps", "10.95")
    try:
        lab.command("up")
        yield boot_guests(lab)
    finally:
        lab.command("purge")
