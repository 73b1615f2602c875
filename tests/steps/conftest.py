"""One lab with a guest of each family, a package server and a registry for all steps."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.lab_guests.sites import make_lab, may_run_guests
from tests.steps.guests import SECTIONS, StepGuests, boot_guests


@pytest.fixture(scope="session")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StepGuests]:
    """A running lab for each worker; `STEPS_LAB` gives it another name and net, so that two people can run theirs."""
    if not may_run_guests():
        pytest.skip("guests need root")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    name, net = os.environ.get("STEPS_LAB", f"labsteps{worker} 10.{100 + int(worker)}").split()
    lab = make_lab(tmp_path_factory.mktemp(name), name, net, sections=SECTIONS)
    try:
        lab.command("up")
        yield boot_guests(lab)
    finally:
        lab.command("purge")
