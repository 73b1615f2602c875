"""What a template's configuration says of its clones, and clocks."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.clock import ahead_s
from provisioning.inventory import template_parts


@pytest.mark.parametrize(
    ("drive", "gib"),
    [
        ("local-lvm:base-9000-disk-0,size=10G", 10),
        ("local-lvm:base-9000-disk-0,discard=on,size=3584M,ssd=1", 3.5),
        ("nas:9000/base-9000-disk-0.qcow2,size=2T", 2048),
        ("local-lvm:base-9000-disk-0", None),
        ("", None),
    ],
)
def test_the_size_of_the_root_disk(drive: str, gib: float | None) -> None:
    assert template_parts({"scsi0": drive}).disk_gib == gib


def test_bridges_and_storage() -> None:
    config: dict[str, Any] = {
        "scsi0": "local-lvm:base-9000-disk-0,size=10G",
        "net1": "virtio=BC:24:11:00:00:01,bridge=vmbr1,firewall=1",
        "net0": "virtio,bridge=vmbr0",
        "netmask": "bridge=no",
    }
    parts = template_parts(config)
    assert parts.bridges == ("vmbr0", "vmbr1")
    assert parts.storage == "local-lvm"
    assert template_parts({"virtio0": "x:y,size=1G"}).storage is None


def test_clocks_are_compared_in_whole_seconds() -> None:
    noon = "Wed, 25 Nov 2026 12:00:00 GMT"
    at_noon = 1795608000.0
    assert ahead_s(noon, at_noon + 0.5) == 0
    assert ahead_s(noon, at_noon - 120) == 120.5
    for nonsense in (None, "", "soon", "$(reboot)"):
        assert ahead_s(nonsense, at_noon) is None
