"""What a thing of a stack is made of: a change that would replace it shows, another one does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from settings import SettingsError, load_program
from settings.limits import things

NET = {"bridge": "vmbr0", "address": "10.77.0.11/24"}
DISK = {"name": "data", "slot": 1, "size_gib": 10, "mount": "/srv/data"}
GROUP = {"prefix": "vm-x", "first_id": 1100, "data_first_id": 1150, "networks": [NET], "data_disks": [DISK]}


def found(**changes: Any) -> dict[str, dict[str, str]]:
    config = {"site": "lab", "vms": [{**GROUP, **changes}]}
    raw = {f"hypercompose:{k}": v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}
    return things(load_program("x", raw))


@pytest.mark.parametrize(
    "changes",
    [
        {"first_id": 1200},
        {"node": "pve2"},
        {"template": "debian-13"},
        {"networks": [{**NET, "address": "10.77.0.12/24"}]},
        {"domain": "other.example.com"},
        {"full_clone": False},
        {"dns": ["10.77.0.2"]},
    ],
)
def test_what_makes_another_vm_shows(lab_site: Path, changes: dict[str, Any]) -> None:
    assert found(**changes)["vm"] != found()["vm"]


@pytest.mark.parametrize("changes", [{"memory_mib": 8192}, {"cores": 8}, {"disk_gib": 60}, {"tags": ["x"]}])
def test_what_changes_a_vm_in_place_does_not(lab_site: Path, changes: dict[str, Any]) -> None:
    assert found(**changes) == found()


def test_a_data_disk_is_named_by_its_vm_and_is_another_one_in_another_slot(lab_site: Path) -> None:
    assert list(found()["data"]) == ["vm-x-1/data"]
    assert found(data_disks=[{**DISK, "slot": 2}])["data"] != found()["data"]
    assert found(data_disks=[{**DISK, "size_gib": 20}])["data"] == found()["data"]
    assert found(data_disks=[])["data"] == {}


@pytest.mark.parametrize("name", ["$(reboot)", "", "a b", "x\n"])
def test_an_allowance_is_a_name(lab_site: Path, name: str) -> None:
    raw = {"hypercompose:site": "lab", "hypercompose:limits": json.dumps({"allow": [name]})}
    with pytest.raises(SettingsError, match=r"limits\.allow\[0\]"):
        load_program("x", raw)
