"""A VM from clone to destruction, and its guest with it."""

from __future__ import annotations

from tests.lab_pve.pve_site import PURGE, PveSite, covers

VM = "/nodes/{node}/qemu/{vmid}"


@covers(f"POST {VM}/status/start", f"POST {VM}/status/stop")
async def test_start_and_stop_reach_the_guest(pve: PveSite) -> None:
    vm = await pve.started(100, cores=3, memory=4096, net1="virtio,bridge=vmbr1,tag=42")
    machine = pve.hypervisor.machine(100)
    assert (machine.cores, machine.memory_mib, machine.name) == (3, 4096, "vm-100")
    assert [(nic.slot, nic.bridge, nic.tag) for nic in machine.nics] == [(0, "vmbr0", None), (1, "vmbr1", 42)]
    assert (await pve.get(f"{vm}/status/current"))["status"] == "running"
    await pve.done("POST", f"{vm}/status/stop")
    assert not pve.hypervisor.running(100)


async def test_starting_twice_fails_in_the_worker(pve: PveSite) -> None:
    vm = await pve.started(100)
    assert await pve.work("POST", f"{vm}/status/start") == "VM 100 already running"


@covers(f"POST {VM}/status/shutdown")
async def test_shutdown_of_a_deaf_guest_fails_unless_forced(pve: PveSite) -> None:
    vm = await pve.started(100)
    pve.hypervisor.ignores_shutdown = True
    exitstatus = await pve.work("POST", f"{vm}/status/shutdown", timeout=1)
    assert exitstatus == "VM quit/powerdown failed - got timeout"
    assert pve.hypervisor.running(100)
    await pve.done("POST", f"{vm}/status/shutdown", timeout=1, forceStop=1)
    assert not pve.hypervisor.running(100)


@covers(f"POST {VM}/status/reboot")
async def test_reboot_applies_pending_changes(pve: PveSite) -> None:
    vm = await pve.started(100, memory=1024)
    await pve.do("PUT", f"{vm}/config", memory=2048)
    await pve.done("POST", f"{vm}/status/reboot")
    assert pve.hypervisor.machine(100).memory_mib == 2048


@covers(f"POST {VM}/status/reset")
async def test_reset_leaves_changes_pending(pve: PveSite) -> None:
    vm = await pve.started(100, memory=1024)
    await pve.do("PUT", f"{vm}/config", memory=2048)
    await pve.done("POST", f"{vm}/status/reset")
    assert pve.hypervisor.machine(100).memory_mib == 1024
    assert (await pve.call("POST", "/nodes/pve1/qemu/9000/status/reset")).reason == "VM 9000 not running"


async def test_a_guest_that_powered_itself_off_reads_stopped(pve: PveSite) -> None:
    vm = await pve.started(100)
    pve.hypervisor.guests[100].machine = None
    assert (await pve.get(f"{vm}/status/current"))["status"] == "stopped"
    await pve.done("POST", f"{vm}/status/start")


async def test_start_fails_on_a_bridge_that_does_not_exist(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.do("PUT", f"{vm}/config", net0="virtio,bridge=vmbr9")
    assert await pve.work("POST", f"{vm}/status/start") == "bridge 'vmbr9' does not exist"


@covers(f"POST {VM}/template")
async def test_a_template_cannot_be_started_and_its_clones_start_from_the_same_image(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.done("POST", f"{vm}/template")
    assert (await pve.get(f"{vm}/config"))["scsi0"].startswith("local-lvm:base-100-disk-0,")
    assert (await pve.call("POST", f"{vm}/status/start")).reason == "you can't start a vm if it's a template"
    await pve.done("POST", f"{vm}/clone", newid=101, full=1)
    assert pve.hypervisor.guests[101].image == "rocky-9"


@covers(f"DELETE {VM}")
async def test_destroy_removes_the_guest_and_its_disks(pve: PveSite) -> None:
    vm = await pve.started(100)
    assert (await pve.call("DELETE", vm)).reason == "VM 100 is running - destroy failed"
    await pve.done("POST", f"{vm}/status/stop")
    await pve.done("DELETE", vm, **PURGE)
    gone = await pve.call("GET", f"{vm}/status/current")
    assert gone.reason == "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist"
    assert 100 not in pve.hypervisor.guests
    assert pve.cluster.volumes.owned_by(100) == []


async def test_protection_and_locks_refuse_destruction(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.do("PUT", f"{vm}/config", protection=1)
    assert (await pve.call("DELETE", vm)).reason == "can't remove VM 100 - protection mode enabled"
    await pve.do("PUT", f"{vm}/config", protection=0)
    pve.cluster.vm("pve1", 100).config["lock"] = "backup"
    assert await pve.work("DELETE", vm) == "VM is locked (backup)"
    assert (await pve.call("PUT", f"{vm}/config", {"cores": 1})).reason == "VM is locked (backup)"


async def test_a_node_that_does_not_exist_is_a_failed_lookup(pve: PveSite) -> None:
    answer = await pve.call("GET", "/nodes/pve9/qemu")
    assert answer.status == 500 and answer.reason.startswith("hostname lookup 'pve9' failed")
