"""Changing a VM's configuration."""

from __future__ import annotations

import pytest

from tests.lab_pve.pve_site import PveSite, covers

VM = "/nodes/{node}/qemu/{vmid}"


@covers(f"PUT {VM}/config", f"GET {VM}/pending")
async def test_memory_and_cores_of_a_running_vm_wait_for_a_power_cycle(pve: PveSite) -> None:
    vm = await pve.started(100, memory=1024, cores=1)
    await pve.do("PUT", f"{vm}/config", memory=2048, cores=2)
    assert (await pve.get(f"{vm}/config"))["cores"] == 2
    assert (await pve.get(f"{vm}/config", current=1))["cores"] == 1
    entries = {entry["key"]: entry for entry in await pve.get(f"{vm}/pending")}
    assert entries["memory"] == {"key": "memory", "value": "1024", "pending": "2048"}
    assert pve.hypervisor.machine(100).memory_mib == 1024
    await pve.done("POST", f"{vm}/status/shutdown", forceStop=1)
    await pve.done("POST", f"{vm}/status/start")
    assert (pve.hypervisor.machine(100).memory_mib, pve.hypervisor.machine(100).cores) == (2048, 2)
    assert all("pending" not in entry for entry in await pve.get(f"{vm}/pending"))


async def test_what_does_not_concern_the_guest_does_not_touch_it(pve: PveSite) -> None:
    vm = await pve.started(100)
    await pve.do("PUT", f"{vm}/config", description="new", onboot=1, memory=4096)
    assert ("apply", 100) not in pve.hypervisor.log


async def test_a_pending_change_can_be_reverted(pve: PveSite) -> None:
    vm = await pve.started(100, memory=1024)
    await pve.do("PUT", f"{vm}/config", memory=2048)
    await pve.do("PUT", f"{vm}/config", revert="memory")
    assert (await pve.get(f"{vm}/config"))["memory"] == "1024"


@covers(f"POST {VM}/config")
async def test_a_change_can_run_as_a_worker(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.done("POST", f"{vm}/config", description="one", onboot=1)
    assert (await pve.get(f"{vm}/config"))["onboot"] == 1


async def test_values_are_stored_in_proxmoxs_form(pve: PveSite) -> None:
    vm = await pve.clone(100)
    keys = "ssh-ed25519%20AAAA%20me"
    await pve.do("PUT", f"{vm}/config", tags="Web,lab;web", numa=0, net0="model=virtio,bridge=vmbr0,", sshkeys=keys)
    config = await pve.get(f"{vm}/config")
    assert config["tags"] == "lab;web" and config["numa"] == 0 and config["sshkeys"] == keys
    assert config["net0"].startswith("virtio=BC:24:11:") and config["net0"].endswith(",bridge=vmbr0")


async def test_a_password_is_never_shown(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.do("PUT", f"{vm}/config", cipassword="geheim-1")
    assert (await pve.get(f"{vm}/config"))["cipassword"] == "**********"
    assert "geheim-1" not in str(list(pve.cluster.calls))


@pytest.mark.parametrize(
    ("option", "text", "error"),
    [
        ("cores", "many", "type check ('integer') failed - got 'many'"),
        ("cores", "0", "value must have a minimum value of 1"),
        ("memory", "-1", "value must have a minimum value of 16"),
        ("onboot", "maybe", "type check ('boolean') failed - got 'maybe'"),
        ("name", "not a name", "invalid format - value does not look like a valid DNS name\n"),
        (
            "net0",
            "virtio,bridge=vmbr0,speed=9",
            "invalid format - format error\nspeed: property is not defined in schema\n",
        ),
        ("net0", "turbo,bridge=vmbr0", "invalid format - format error\nmodel: unknown network model\n"),
        ("scsi1", "nonsense", "invalid format - format error\nfile: unable to parse volume ID 'nonsense'\n"),
        ("colour", "red", "property is not defined in schema and the schema does not allow additional properties"),
    ],
)
async def test_a_bad_value_is_refused_by_option(pve: PveSite, option: str, text: str, error: str) -> None:
    vm = await pve.clone(100)
    answer = await pve.call("PUT", f"{vm}/config", {option: text})
    assert (answer.status, answer.reason) == (400, "Parameter verification failed.")
    assert answer.body["errors"] == {option: error}


async def test_nothing_to_change_contradictions_and_stale_digests_are_refused(pve: PveSite) -> None:
    vm = await pve.clone(100)
    assert (await pve.call("PUT", f"{vm}/config", {})).reason == "no options specified"
    both = await pve.call("PUT", f"{vm}/config", {"delete": "cores", "cores": 1})
    assert "at the same time" in both.body["errors"]["delete"]
    stale = await pve.call("PUT", f"{vm}/config", {"cores": 1, "digest": "0" * 40})
    assert stale.reason == "checksum mismatch (file change by other user?)"


async def test_a_nic_is_plugged_and_unplugged_while_the_guest_runs(pve: PveSite) -> None:
    vm = await pve.started(100)
    await pve.do("PUT", f"{vm}/config", net1="virtio,bridge=vmbr1")
    assert [nic.slot for nic in pve.hypervisor.machine(100).nics] == [0, 1]
    await pve.do("PUT", f"{vm}/config", delete="net1")
    assert [nic.slot for nic in pve.hypervisor.machine(100).nics] == [0]
    wrong = await pve.call("PUT", f"{vm}/config", {"net1": "virtio,bridge=vmbr9"})
    assert wrong.body["errors"] == {"net1": "hotplug problem - bridge 'vmbr9' does not exist"}


@covers(f"PUT {VM}/cloudinit")
async def test_the_cloud_init_image_is_made_anew_while_the_guest_runs(pve: PveSite) -> None:
    vm = await pve.started(100, ide2="local-lvm:cloudinit,", ciuser="ops")
    await pve.do("PUT", f"{vm}/config", ciuser="other")
    await pve.do("PUT", f"{vm}/cloudinit")
    seed = pve.hypervisor.machine(100).seed
    assert seed is not None and b"user: other" in seed["user-data"]
