"""From nothing to a VM, through its changes, to nothing: as a person does it."""

import re
import time

import pytest

from tests.lab.checkout import SITE, Checkout

pytestmark = pytest.mark.lab
VM = "vm-lab-app-1"


@pytest.fixture(scope="module")
def brought_up(checkout: Checkout) -> Checkout:
    up = checkout.make("up")
    assert up.code == 0, up.text
    (checkout.folder / ".lab" / "up.log").write_text(up.text)
    return checkout


def test_make_up_prints_address_key_and_an_ssh_line_that_works(brought_up: Checkout) -> None:
    text = (brought_up.folder / ".lab" / "up.log").read_text()
    host = brought_up.hosts()[VM]
    assert f"{VM}: {host['address']}" in text
    assert host["host_key"] in text
    line = re.search(r"ssh +(ssh .*)", text)
    assert line
    done = brought_up._run(["bash", "-c", f"{line[1]} -o BatchMode=yes 'hostname; . /etc/os-release; echo $ID'"])
    assert done.text.split() == [VM, "rocky"], done.text


def test_first_contact_leaves_one_host_key_and_no_seed(brought_up: Checkout) -> None:
    host = brought_up.hosts()[VM]
    keys = brought_up.ssh(host, "ls /etc/ssh/*key.pub; test -e /etc/cloud/cloud-init.disabled && echo off").text
    assert keys.split() == ["/etc/ssh/ssh_host_ed25519_key.pub", "off"]
    api = brought_up.api()
    assert api.get("/nodes/pve1/qemu/1100/config")["ide3"] == "none,media=cdrom"
    assert api.get("/nodes/pve1/storage/local/content", content="iso") == []


def test_a_second_run_changes_nothing_and_previews_are_clean(brought_up: Checkout) -> None:
    started = time.monotonic()
    again = brought_up.make("up")
    assert again.code == 0, again.text
    assert re.search(r"Resources:\n +\d+ unchanged\n", again.text), again.text
    assert time.monotonic() - started < 60  # a bound against hanging, not a benchmark
    assert brought_up.preview() == {}
    assert brought_up.preview("--refresh") == {}


def test_a_changed_host_key_is_a_hard_stop_and_names_what_to_do(brought_up: Checkout) -> None:
    host = brought_up.hosts()[VM]
    swap = "sudo sh -c 'cd /etc/ssh && cp -a ssh_host_ed25519_key /root/k && cp -a ssh_host_ed25519_key.pub /root/k.pub"
    swap += ' && ssh-keygen -q -t ed25519 -N "" -f ssh_host_ed25519_key <<< y >/dev/null; systemctl reload ssh\''
    brought_up.ssh(
        host,
        f"bash -c {swap!r}"
        if False
        else swap.replace("<<< y", "< /root/y").replace("cd /etc", "echo y > /root/y; cd /etc"),
    )
    refused = brought_up.pulumi("preview", "--refresh")
    assert refused.code != 0
    assert "its host key is not the pinned one" in refused.text
    container = f"hc-{SITE}-1100"
    restore = "cp -a /root/k /etc/ssh/ssh_host_ed25519_key; cp -a /root/k.pub /etc/ssh/ssh_host_ed25519_key.pub"
    brought_up._run(["docker", "exec", container, "sh", "-c", f"{restore}; systemctl reload ssh"], _docker(brought_up))
    assert brought_up.preview("--refresh") == {}


def _docker(checkout: Checkout) -> dict[str, str]:
    from lab import dockerd

    found = dockerd.find()
    assert found is not None
    return {"DOCKER_HOST": str(found.api.base_url).replace("http+docker://localhost", f"unix://{dockerd.socket()}")}


def test_memory_and_a_data_disk_are_exactly_what_preview_names_and_up_does(brought_up: Checkout) -> None:
    with brought_up.settings() as config:
        config["hypercompose:vms"][0]["memory_mib"] = 3072
    assert brought_up.preview() == {f"{VM}-vm": "update"}
    with brought_up.settings() as config:
        group = config["hypercompose:vms"][0]
        group["data_first_id"] = 1600
        group["data_disks"] = [{"name": "data", "size_gib": 1, "filesystem": "ext4", "mount": "/srv/data"}]
    added = {f"{VM}-data-claim": "create", f"{VM}-data-vm": "create", f"{VM}-data": "create"}
    assert brought_up.preview() == {**added, f"{VM}-vm": "update"}
    up = brought_up.make("up")
    assert up.code == 0, up.text
    host = brought_up.hosts()[VM]
    assert brought_up.api().get("/nodes/pve1/qemu/1100/config")["memory"] == "3072"
    assert brought_up.ssh(host, "findmnt -no FSTYPE /srv/data && echo kept | sudo tee /srv/data/file").text.split() == [
        "ext4",
        "kept",
    ]
    assert brought_up.preview("--refresh") == {}


def test_data_survive_the_replacement_of_their_vm(brought_up: Checkout) -> None:
    before = brought_up.hosts()[VM]
    with brought_up.settings() as config:
        config["hypercompose:vms"][0]["networks"][0]["address"] = before["address"].replace(".11", ".12") + "/24"
    assert brought_up.preview()[f"{VM}-vm"] in ("replace", "create-replacement", "delete-replaced")
    up = brought_up.make("up")
    assert up.code == 0, up.text
    after = brought_up.hosts()[VM]
    assert after["address"].endswith(".12")
    assert after["host_key"] != before["host_key"]
    assert brought_up.ssh(after, "cat /srv/data/file").text.strip() == "kept"
    assert brought_up.preview() == {}


def test_down_leaves_nothing(brought_up: Checkout) -> None:
    down = brought_up.make("down")
    assert down.code == 0, down.text
    up = brought_up.make("lab-up")  # `down` stops a lab that nobody uses
    assert up.code == 0, up.text
    assert not {1100, 1600} & set(brought_up.vms())
    assert brought_up.api().get("/nodes/pve1/storage/local/content", content="iso") == []
