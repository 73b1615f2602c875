"""A fresh API for each test, and the check that a test calls the routes it claims."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.lab_pve.pve_site import PveSite
from tests.lab_pve.worlds import world


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here survives the machine, so nothing needs to be on its disk."""
    monkeypatch.setattr("lab.pve.persistence.os.fsync", lambda descriptor: None)


@pytest.fixture
async def pve(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[PveSite]:
    site = PveSite(world(), tmp_path / "pve")
    await site.start()
    yield site
    await site.stop()
    claimed = set(getattr(request.function, "covered_routes", ()))
    assert claimed <= site.called, f"claimed but not called: {sorted(claimed - site.called)}"
