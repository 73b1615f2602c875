"""What a guest finds in its CD drives."""

from __future__ import annotations

import aiohttp
import pytest
import yaml

from tests.lab_pve import nocloud
from tests.lab_pve.pve_site import PveSite, covers

UPLOAD = "/nodes/pve1/storage/local/upload"


async def upload(pve: PveSite, name: str, content: bytes) -> None:
    form = aiohttp.FormData()
    form.add_field("content", "iso")
    form.add_field("filename", content, filename=name)
    assert await pve.ended((await pve.call("POST", UPLOAD, data=form)).data) == "OK"


@pytest.mark.parametrize(("joliet", "rock_ridge"), [(False, False), (True, False), (False, True), (True, True)])
@covers("POST /nodes/{node}/storage/{storage}/upload")
async def test_an_uploaded_nocloud_iso_is_the_guests_seed(pve: PveSite, joliet: bool, rock_ridge: bool) -> None:
    await upload(pve, "seed.iso", nocloud.iso(label="CIDATA", joliet=joliet, rock_ridge=rock_ridge))
    await pve.started(100, ide3="file=local:iso/seed.iso,media=cdrom,")
    assert pve.hypervisor.machine(100).seed == nocloud.FILES


async def test_any_other_iso_is_no_seed(pve: PveSite) -> None:
    await upload(pve, "tools.iso", nocloud.iso(label="TOOLS"))
    await upload(pve, "broken.iso", b"not an iso at all")
    await pve.started(100, ide2="local:iso/tools.iso,media=cdrom", ide3="local:iso/broken.iso,media=cdrom")
    assert pve.hypervisor.machine(100).seed is None


async def test_ejecting_the_iso_takes_the_seed_from_the_running_guest(pve: PveSite) -> None:
    await upload(pve, "seed.iso", nocloud.iso())
    vm = await pve.started(100, ide3="local:iso/seed.iso,media=cdrom")
    await pve.do("PUT", f"{vm}/config", ide3="none,media=cdrom")
    assert pve.hypervisor.machine(100).seed is None
    assert (await pve.get(f"{vm}/config"))["ide3"] == "none,media=cdrom"


async def test_an_ide_drive_leaves_a_running_vm_only_with_the_next_power_cycle(pve: PveSite) -> None:
    await upload(pve, "seed.iso", nocloud.iso())
    vm = await pve.started(100, ide3="local:iso/seed.iso,media=cdrom")
    await pve.do("PUT", f"{vm}/config", delete="ide3")
    assert "ide3" not in await pve.get(f"{vm}/config")
    assert pve.hypervisor.machine(100).seed is not None
    await pve.done("POST", f"{vm}/status/reboot")
    assert pve.hypervisor.machine(100).seed is None


async def test_start_fails_when_the_iso_is_gone(pve: PveSite) -> None:
    await upload(pve, "seed.iso", nocloud.iso())
    vm = await pve.clone(100)
    await pve.do("PUT", f"{vm}/config", ide3="local:iso/seed.iso,media=cdrom")
    await pve.done("DELETE", "/nodes/pve1/storage/local/content/local:iso%2Fseed.iso")
    assert await pve.work("POST", f"{vm}/status/start") == "volume 'local:iso/seed.iso' does not exist"


async def test_proxmoxs_own_cloud_init_image_says_what_the_options_say(pve: PveSite) -> None:
    vm = await pve.started(
        100,
        ide2="local-lvm:cloudinit,",
        ciuser="ops",
        cipassword="geheim",
        sshkeys="ssh-ed25519%20AAAA%20me%0Assh-ed25519%20BBBB%20you",
        net1="virtio,bridge=vmbr1",
        ipconfig0="ip=192.0.2.9/24,gw=192.0.2.1,ip6=auto",
        ipconfig1="ip=dhcp",
        nameserver="192.0.2.53",
        searchdomain="lab.example",
    )
    seed = pve.hypervisor.machine(100).seed
    assert seed is not None and seed["meta-data"].startswith(b"instance-id: ")
    user = yaml.safe_load(seed["user-data"])
    assert (user["hostname"], user["fqdn"], user["user"]) == ("vm-100", "vm-100.lab.example", "ops")
    assert user["ssh_authorized_keys"] == ["ssh-ed25519 AAAA me", "ssh-ed25519 BBBB you"]
    first, second, resolver = yaml.safe_load(seed["network-config"])["config"]
    static = {"type": "static", "address": "192.0.2.9", "netmask": "255.255.255.0", "gateway": "192.0.2.1"}
    assert first["subnets"] == [static, {"type": "ipv6_slaac"}]
    assert first["mac_address"].upper() in (await pve.get(f"{vm}/config"))["net0"]
    assert second["subnets"] == [{"type": "dhcp4"}]
    assert resolver == {"type": "nameserver", "address": ["192.0.2.53"], "search": ["lab.example"]}


async def test_a_second_cloud_init_drive_is_refused(pve: PveSite) -> None:
    vm = await pve.clone(100)
    await pve.do("PUT", f"{vm}/config", ide2="local-lvm:cloudinit")
    answer = await pve.call("PUT", f"{vm}/config", {"ide0": "local-lvm:cloudinit"})
    assert answer.reason == "ide0 - cloud-init drive is already attached at 'ide2'"
