"""A host's folders of the gate, for what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.gate.config import Folders


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "etc", tmp_path / "var")
