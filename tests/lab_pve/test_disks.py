"""Disks: made, attached, shared between VMs, grown, moved, taken out."""

from __future__ import annotations

from lab.world import GIB
from tests.lab_pve.pve_site import PURGE, PveSite, covers, task_path

VM = "/nodes/{node}/qemu/{vmid}"


async def _data_vm(pve: PveSite, vmid: int = 1999) -> str:
    """A VM that only holds a disk of 5 GiB."""
    await pve.done("POST", "/nodes/pve1/qemu", vmid=vmid, name="data", scsi0="local-lvm:5", ide3="none,media=cdrom")
    return f"/nodes/pve1/qemu/{vmid}"


@covers("POST /nodes/{node}/qemu", "GET /nodes/{node}/storage/{storage}/content/{volume}")
async def test_a_data_vm_holds_disks_and_has_no_guest(pve: PveSite) -> None:
    vm = await _data_vm(pve)
    assert (await pve.get(f"{vm}/config"))["scsi0"] == "local-lvm:vm-1999-disk-0,size=5G"
    volume = await pve.get("/nodes/pve1/storage/local-lvm/content/local-lvm:vm-1999-disk-0")
    assert volume == {"format": "raw", "path": "/dev/pve/vm-1999-disk-0", "size": 5 * GIB, "used": 0}
    assert pve.hypervisor.guests == {}


async def test_a_disk_of_another_vm_is_attached_and_outlives_this_one(pve: PveSite) -> None:
    await _data_vm(pve)
    vm = await pve.clone(100)
    await pve.do("PUT", f"{vm}/config", scsi1="file=local-lvm:vm-1999-disk-0,format=raw,size=99G,ssd=1")
    assert (await pve.get(f"{vm}/config"))["scsi1"] == "local-lvm:vm-1999-disk-0,size=5G,ssd=1"
    await pve.done("POST", f"{vm}/status/start")
    (disk,) = pve.hypervisor.machine(100).disks
    assert disk.slot == "scsi1" and disk.file.stat().st_size == 5 * GIB
    disk.file.open("r+b").write(b"kept")
    await pve.done("POST", f"{vm}/status/stop")
    await pve.done("DELETE", vm, **PURGE)
    assert disk.file.open("rb").read(4) == b"kept"
    await pve.done("DELETE", "/nodes/pve1/qemu/1999")
    assert not disk.file.exists()


async def test_deleting_the_data_vm_spares_a_disk_that_a_running_vm_uses(pve: PveSite) -> None:
    await _data_vm(pve)
    await pve.started(100, scsi1="local-lvm:vm-1999-disk-0")
    upid = await pve.do("DELETE", "/nodes/pve1/qemu/1999")
    assert await pve.ended(upid) == "OK"
    log = await pve.get(f"{task_path(upid)}/log")
    assert "Could not remove disk 'local-lvm:vm-1999-disk-0'" in log[0]["t"]
    assert pve.cluster.volumes.find("pve1", "local-lvm:vm-1999-disk-0")


async def test_disks_are_plugged_and_unplugged_while_the_guest_runs(pve: PveSite) -> None:
    vm = await pve.started(100)
    await pve.do("PUT", f"{vm}/config", scsi2="local-lvm:1")
    assert [disk.slot for disk in pve.hypervisor.machine(100).disks] == ["scsi2"]
    await pve.do("PUT", f"{vm}/config", delete="scsi2")
    assert pve.hypervisor.machine(100).disks == ()
    assert (await pve.get(f"{vm}/config"))["unused0"] == "local-lvm:vm-100-disk-1"


@covers(f"PUT {VM}/unlink")
async def test_unlinked_disks_become_unused_and_go_with_force(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.do("PUT", f"{vm}/config", scsi1="local-lvm:1", scsi2="local-lvm:1")
    await pve.do("PUT", f"{vm}/unlink", idlist="scsi1")
    await pve.do("PUT", f"{vm}/unlink", idlist="scsi2", force=1)
    config = await pve.get(f"{vm}/config")
    assert config["unused0"] == "local-lvm:vm-100-disk-1" and "scsi2" not in config and "unused1" not in config
    assert pve.cluster.volumes.find("pve1", "local-lvm:vm-100-disk-2") is None
    await pve.do("PUT", f"{vm}/config", delete="unused0")
    assert pve.cluster.volumes.find("pve1", "local-lvm:vm-100-disk-1") is None


async def test_attaching_an_unused_disk_again_clears_the_note(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.do("PUT", f"{vm}/config", scsi1="local-lvm:1")
    await pve.do("PUT", f"{vm}/config", delete="scsi1")
    await pve.do("PUT", f"{vm}/config", scsi3="local-lvm:vm-100-disk-1")
    assert "unused0" not in await pve.get(f"{vm}/config")


@covers(f"PUT {VM}/resize")
async def test_a_disk_grows_under_a_running_guest_and_never_shrinks(pve: PveSite) -> None:
    vm = await pve.started(100, scsi1="local-lvm:1")
    await pve.done("PUT", f"{vm}/resize", disk="scsi1", size="+1G")
    await pve.done("PUT", f"{vm}/resize", disk="scsi0", size=20 * GIB)
    config = await pve.get(f"{vm}/config")
    assert config["scsi1"].endswith("size=2G") and config["scsi0"].endswith("size=20G")
    assert pve.hypervisor.machine(100).disks[0].file.stat().st_size == 2 * GIB
    assert pve.hypervisor.log[-1] == ("apply", 100)
    assert await pve.work("PUT", f"{vm}/resize", disk="scsi1", size="1G") == "shrinking disks is not supported"
    assert (
        await pve.call("PUT", f"{vm}/resize", {"disk": "scsi9", "size": "1G"})
    ).reason == "disk 'scsi9' does not exist"


@covers(f"POST {VM}/move_disk")
async def test_a_disk_moves_to_another_storage_with_its_bytes(pve: PveSite) -> None:
    vm = await pve.started(100, scsi1="local-lvm:1")
    pve.hypervisor.machine(100).disks[0].file.open("r+b").write(b"kept")
    await pve.done("POST", f"{vm}/status/stop")
    await pve.done("POST", f"{vm}/move_disk", disk="scsi1", storage="ceph", delete=1)
    await pve.done("POST", f"{vm}/status/start")
    (disk,) = pve.hypervisor.machine(100).disks
    assert disk.file.open("rb").read(4) == b"kept"
    assert (await pve.get(f"{vm}/config"))["scsi1"] == "ceph:vm-100-disk-0,size=1G"


async def test_wrong_storages_and_volumes_are_refused(pve: PveSite) -> None:
    vm = await pve.clone(100)
    missing = await pve.call("PUT", f"{vm}/config", {"scsi1": "nowhere:5"})
    assert missing.reason == "storage 'nowhere' does not exist"
    kind = await pve.call("PUT", f"{vm}/config", {"scsi1": "local:5"})
    assert kind.body["errors"] == {"storage": "storage 'local' does not support vm images"}
    volume = await pve.call("PUT", f"{vm}/config", {"scsi1": "local-lvm:vm-7-disk-0"})
    assert volume.reason == "volume 'local-lvm:vm-7-disk-0' does not exist"
    failed = await pve.work("POST", "/nodes/pve1/qemu", vmid=200, scsi0="local-lvm:0")
    assert failed == "unable to create image: size of 'local-lvm:0' must be larger than 0"
    assert (await pve.call("GET", "/nodes/pve1/qemu/200/config")).status == 500


async def test_a_full_clone_copies_data_disks(pve: PveSite) -> None:
    vm = await pve.started(100, scsi1="local-lvm:1")
    pve.hypervisor.machine(100).disks[0].file.open("r+b").write(b"copied")
    await pve.done("POST", f"{vm}/status/stop")
    await pve.done("POST", f"{vm}/clone", newid=101, full=1)
    await pve.done("POST", "/nodes/pve1/qemu/101/status/start")
    assert pve.hypervisor.machine(101).disks[0].file.open("rb").read(6) == b"copied"
