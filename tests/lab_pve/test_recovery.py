"""Killed at any moment, the API starts again as it was."""

from __future__ import annotations

import asyncio
import dataclasses

from lab.pve.tasks import CRASHED
from tests.lab_pve.pve_site import PveSite


async def _killed_and_started(pve: PveSite, *, reboot: bool = False) -> None:
    """What was on disk at this moment is all that is left; a reboot takes the guests too."""
    on_disk = (pve.directory / "state.json").read_bytes()
    await pve.stop()
    (pve.directory / "state.json").write_bytes(on_disk)
    if reboot:
        for guest in pve.hypervisor.guests.values():
            guest.machine = None
    await pve.start()


async def test_vms_volumes_and_workers_are_remembered(pve: PveSite) -> None:
    vm = await pve.started(100, scsi1="local-lvm:1", memory=1024)
    await pve.do("PUT", f"{vm}/config", memory=2048)
    before, pending = await pve.get(f"{vm}/config"), await pve.get(f"{vm}/pending")
    await _killed_and_started(pve)
    assert (await pve.get(f"{vm}/config"), await pve.get(f"{vm}/pending")) == (before, pending)
    assert (await pve.get(f"{vm}/status/current"))["status"] == "running"
    assert pve.hypervisor.log.count(("start", 100)) == 1
    assert {task["type"] for task in await pve.get("/cluster/tasks")} == {"qmclone", "qmstart"}


async def test_vms_that_were_on_come_up_after_a_reboot_of_the_machine(pve: PveSite) -> None:
    await pve.started(100)
    await pve.clone(101)
    await _killed_and_started(pve, reboot=True)
    assert pve.hypervisor.running(100) and not pve.hypervisor.running(101)


async def test_a_guest_that_was_started_just_before_the_kill_is_found_running(pve: PveSite) -> None:
    vm = await pve.started(100)
    pve.cluster.vm("pve1", 100).on = False
    pve.cluster.save()
    await _killed_and_started(pve)
    assert (await pve.get(f"{vm}/status/current"))["status"] == "running"


async def test_a_vm_that_cannot_come_up_is_off(pve: PveSite) -> None:
    vm = await pve.started(100)
    pve.hypervisor.broken = {"start"}
    await _killed_and_started(pve, reboot=True)
    assert (await pve.get(f"{vm}/status/current"))["status"] == "stopped"


async def test_a_clone_that_was_interrupted_stays_locked_and_its_worker_has_failed(pve: PveSite) -> None:
    pve.cluster.faults.arm({"task": "qmclone", "seconds": 9.0})
    upid = await pve.do("POST", "/nodes/pve1/qemu/9000/clone", newid=100)
    await _killed_and_started(pve)
    assert await pve.ended(upid) == CRASHED
    assert (await pve.get("/nodes/pve1/qemu/100/config"))["lock"] == "clone"
    assert await pve.work("DELETE", "/nodes/pve1/qemu/100") == "VM is locked (clone)"


async def test_templates_are_made_again_when_they_are_missing(pve: PveSite) -> None:
    await pve.done("DELETE", "/nodes/pve1/qemu/9000")
    await _killed_and_started(pve)
    await pve.clone(100)


async def test_a_template_added_to_the_world_is_there_after_a_restart(pve: PveSite) -> None:
    (template,) = pve.world.templates
    pve.world = dataclasses.replace(
        pve.world, templates=(template, dataclasses.replace(template, vmid=9010, node="pve2"))
    )
    await _killed_and_started(pve)
    assert (await pve.get("/nodes/pve2/qemu/9010/config"))["template"] == 1


async def test_no_half_written_state_is_ever_seen(pve: PveSite) -> None:
    async def watch() -> None:
        for _ in range(50):
            assert (pve.directory / "state.json").read_text().endswith("}")
            await asyncio.sleep(0)

    await asyncio.gather(watch(), *(pve.do("POST", "/pools", poolid=f"p{number}") for number in range(20)))
