"""A share for each test."""

from pathlib import Path

import pytest

from tests.provisioning.companion.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Files as on a companion."""
    return World(tmp_path)
