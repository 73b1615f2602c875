"""A host's world for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.gate.config import Folders
from tests.provisioning.gate.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path / "shop", monkeypatch)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "etc", tmp_path / "var")
