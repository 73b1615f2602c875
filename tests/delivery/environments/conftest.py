"""A checkout of stacks' files on the lab's site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.settings.conftest import lab_site

__all__ = ["lab_site"]
NET = {"bridge": "vmbr0", "address": "10.77.0.11/24"}
ACCEPTANCE = """\
# yaml-language-server: $schema=docs/schema/stack.schema.json
encryptionsalt: v1:abc
config:
  hypercompose:site: lab
  hypercompose:class: base
  hypercompose:vms:
    - prefix: vm-acceptance-app   # the fifth one
      count: 2
      first_id: 1001
      networks:
        - bridge: bridge-acceptance
          address: 10.77.10.11/24
  hypercompose:portainer:
    sources: [10.77.10.0/24]
  hypercompose:registry_password:
    secure: v1:canary
"""


@pytest.fixture
def checkout(lab_site: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "Pulumi.acceptance.yaml").write_text(ACCEPTANCE)
    write(folder, "small", vms=[{"name": "vm-small", "first_id": 3001, "memory_mib": 512, "networks": [NET]}])
    return folder


def write(folder: Path, name: str, **values: Any) -> None:
    config = {f"hypercompose:{key}": value for key, value in {"site": "lab", **values}.items()}
    (folder / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": config}))
