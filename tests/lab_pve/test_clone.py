"""Clones, full and linked."""

from __future__ import annotations

import asyncio

from tests.lab_pve.pve_site import PveSite, covers

VM = "/nodes/{node}/qemu/{vmid}"


@covers(f"POST {VM}/clone", f"GET {VM}/config", f"GET {VM}/status/current")
async def test_a_clone_is_locked_and_empty_until_its_worker_is_done(pve: PveSite) -> None:
    pve.cluster.faults.arm({"task": "qmclone", "seconds": 0.2})
    upid = await pve.do("POST", "/nodes/pve1/qemu/9000/clone", newid=100, name="web", full=1)
    config = await pve.get("/nodes/pve1/qemu/100/config")
    assert {key for key in config if key != "digest"} == {"lock"}
    assert (await pve.get("/nodes/pve1/qemu/100/status/current"))["lock"] == "clone"
    assert await pve.ended(upid) == "OK"
    config = await pve.get("/nodes/pve1/qemu/100/config")
    assert config["name"] == "web" and "lock" not in config and "template" not in config
    assert config["scsi0"] == "local-lvm:vm-100-disk-0,size=10G"
    assert pve.hypervisor.guests[100].image == "rocky-9"


async def test_a_clone_gets_its_own_mac_and_identity(pve: PveSite) -> None:
    first, second = await pve.clone(100), await pve.clone(101)
    one, other = await pve.get(f"{first}/config"), await pve.get(f"{second}/config")
    assert one["net0"] != other["net0"] and one["smbios1"] != other["smbios1"]


async def test_a_failing_hypervisor_fails_the_worker_with_its_text(pve: PveSite) -> None:
    pve.hypervisor.broken = {"create"}
    exitstatus = await pve.work("POST", "/nodes/pve1/qemu/9000/clone", newid=100)
    assert exitstatus == "guest 100: create failed"
    assert (await pve.call("GET", "/nodes/pve1/qemu/100/config")).status == 500


async def test_linked_clones_keep_their_template_from_being_deleted(pve: PveSite) -> None:
    vm = await pve.clone(100, full=0)
    assert (await pve.get(f"{vm}/config"))["scsi0"].startswith("local-lvm:base-9000-disk-0/vm-100-disk-0,")
    answer = await pve.call("DELETE", "/nodes/pve1/qemu/9000")
    assert answer.reason == "base volume 'local-lvm:base-9000-disk-0' is still in use by linked cloned"


async def test_an_id_that_is_taken_is_refused_by_clone_and_create(pve: PveSite) -> None:
    await pve.clone(300)
    cloned = await pve.call("POST", "/nodes/pve1/qemu/9000/clone", {"newid": 300})
    assert (cloned.status, cloned.reason) == (500, "unable to create VM 300: config file already exists")
    created = await pve.call("POST", "/nodes/pve2/qemu", {"vmid": 300})
    assert created.reason == "unable to create VM 300 - VM 300 already exists on node 'pve1'"


async def test_clones_of_one_template_wait_for_each_other_and_give_up_when_it_stays_locked(pve: PveSite) -> None:
    upids = await asyncio.gather(
        *(pve.do("POST", "/nodes/pve1/qemu/9000/clone", newid=vmid) for vmid in range(100, 105))
    )
    assert {await pve.ended(upid) for upid in upids} == {"OK"}
    pve.cluster.faults.arm({"hold_lock": 9000})
    answer = await pve.call("POST", "/nodes/pve1/qemu/9000/clone", {"newid": 200})
    assert answer.reason == "can't lock file '/var/lock/qemu-server/lock-9000.conf' - got timeout"


async def test_a_clone_to_another_node_needs_shared_storage(pve: PveSite) -> None:
    path = "/nodes/pve1/qemu/9000/clone"
    refused = await pve.call("POST", path, {"newid": 100, "target": "pve2", "full": 1})
    assert refused.reason == "can't clone VM to node 'pve2' (VM uses local storage)"
    unknown = await pve.call("POST", path, {"newid": 100, "storage": "nowhere", "full": 1})
    assert unknown.reason == "storage 'nowhere' does not exist"
    node = await pve.call("POST", path, {"newid": 100, "target": "pve9"})
    assert node.body["errors"] == {"target": "no such cluster node 'pve9'"}
