"""Each recorded call gets the recorded answer again."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from lab.pve.downloads import Downloads
from lab.world import GIB, Template
from tests.lab_pve.pve_site import PveSite
from tests.lab_pve.recorded_cases import BEFORE, BETWEEN, FAULTS, TEMPLATE_CONFIG, UNUSED, nothing
from tests.lab_pve.recordings import FOLDER, Recorded, Replay, load
from tests.lab_pve.worlds import world


class _NoNetwork(Downloads):
    """Answers for any URL: a qcow2 file of 3.5 GiB."""

    async def metadata(self, url: str, *, verify: bool) -> Mapping[str, str | int]:
        return {"filename": url.rpartition("/")[2], "size": 3 * GIB // 8, "mimetype": "application/octet-stream"}

    async def fetch(self, url: str, target: Path, *, verify: bool) -> None:
        with target.open("wb") as file:
            file.write(b"QFI\xfb" + bytes(20) + struct.pack(">Q", 7 * GIB // 2))
            file.truncate(3 * GIB // 8)


@pytest.fixture
async def recorded_site(tmp_path: Path) -> AsyncIterator[PveSite]:
    template = Template(
        name="debian-12-tmpl", node="pve1", vmid=9000, image="debian-12", disk_gib=3.5, config=TEMPLATE_CONFIG
    )
    site = PveSite(world(templates=(template,)), tmp_path / "pve")
    await site.start()
    cluster = site.cluster
    cluster.downloads = _NoNetwork()
    config = cluster.vm("pve1", 9000).config
    config["scsi0"] = str(config["scsi0"]).replace(",", ",discard=on,", 1)
    config["ide2"] = cluster.volumes.allocate_cloudinit("pve1", "local-lvm", 9000).volid + ",media=cdrom"
    yield site
    await site.stop()


@pytest.mark.parametrize("name", sorted(file.name for file in FOLDER.glob("*.json")))
async def test_recording_replays(recorded_site: PveSite, name: str) -> None:
    case, pve, replay = name.removeprefix("fault-").removesuffix(".json"), recorded_site, Replay(recorded_site)
    if case == "clone":
        pve.hypervisor.addresses = {"eth0": ["192.0.2.10/24", "fe80::1/64"]}
    BEFORE.get(case, nothing)(pve)
    for fault in FAULTS.get(case, []):
        pve.cluster.faults.arm(fault)
    calls = load(FOLDER / name)
    replayed = 0
    for before, call in zip([calls[0], *calls], calls, strict=False):
        if before.phase != call.phase:
            BETWEEN.get(case, nothing)(pve)
        if not _is_unused(call):
            await replay.call(call)
            replayed += 1
    assert replayed + len(UNUSED.get(name, (set(), ""))[0]) == len(calls)


def _is_unused(call: Recorded) -> bool:
    return call.number in UNUSED.get(call.file, (set(), ""))[0]


def test_every_prepared_case_has_a_recording() -> None:
    names = {file.name.removeprefix("fault-").removesuffix(".json") for file in FOLDER.glob("*.json")}
    assert {*FAULTS, *BEFORE, *BETWEEN} <= names
    assert set(UNUSED) <= {file.name for file in FOLDER.glob("*.json")}


def test_there_are_as_many_recorded_calls_as_there_were() -> None:
    assert sum(len(json.loads(file.read_text())) for file in FOLDER.glob("*.json")) == 954
