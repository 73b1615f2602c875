"""From nothing to a VM, through its changes, to nothing: as a person does it."""

import re
import time

import pytest

from tests.lab.checkout import Checkout

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended
VM = "vm-lab-app-1"


def discs(checkout: Checkout) -> set[str]:
    """Volume ids of the discs in the site's storage."""
    return {str(disc["volid"]) for disc in checkout.api().get("/nodes/pve1/storage/local/content", content="iso")}


@pytest.fixture(scope="module")
def brought_up(checkout: Checkout) -> Checkout:
    up = checkout.make("up")
    assert up.code == 0, up.why
    (checkout.folder / ".lab" / "up.log").write_text(up.text)
    return checkout


def test_make_up_prints_address_key_and_an_ssh_line_that_works(brought_up: Checkout) -> None:
    text = (brought_up.folder / ".lab" / "up.log").read_text()
    host = brought_up.hosts()[VM]
    assert f"{VM}: {host['address']}" in text
    assert host["host_key"] in text
    line = re.search(r"ssh +(ssh .*)", text)
    assert line
    done = brought_up.run(["bash", "-c", f"{line[1]} -o BatchMode=yes 'hostname; . /etc/os-release; echo $ID'"])
    assert done.text.split() == [VM, "rocky"], done.text


def test_first_contact_leaves_one_host_key_and_no_seed(brought_up: Checkout) -> None:
    host = brought_up.hosts()[VM]
    keys = brought_up.ssh(host, "ls /etc/ssh/*key.pub; test -e /etc/cloud/cloud-init.disabled && echo off").text
    assert keys.split() == ["/etc/ssh/ssh_host_ed25519_key.pub", "off"]
    api = brought_up.api()
    assert api.get("/nodes/pve1/qemu/1100/config")["ide3"] == "none,media=cdrom"
    assert "local:iso/hypercompose-1100.iso" not in discs(brought_up)


def test_a_second_run_changes_nothing_and_previews_are_clean(brought_up: Checkout) -> None:
    started = time.monotonic()
    again = brought_up.make("up")
    assert again.code == 0, again.why
    assert re.search(r"Resources:\n +\d+ unchanged\n", again.text), again.text
    assert time.monotonic() - started < 60  # a bound against hanging, not a benchmark
    assert brought_up.preview() == {}
    assert brought_up.preview("--refresh") == {}


def test_a_changed_host_key_is_a_hard_stop(brought_up: Checkout) -> None:
    host = brought_up.hosts()[VM]
    key = "/etc/ssh/ssh_host_ed25519_key"
    swap = f'mv {key} {key}.pub /root/; ssh-keygen -q -t ed25519 -N "" -f {key}; systemctl reload sshd'
    other = brought_up.ssh(host, f"sudo sh -c '{swap}'; cut -d\" \" -f1,2 {key}.pub").text.strip()
    refused = brought_up.pulumi("preview", "--refresh")
    assert refused.code != 0
    assert "its host key is not the pinned one" in refused.text
    assert "No command was run" in refused.text
    back = brought_up.ssh(
        {**host, "host_key": other}, "sudo sh -c 'mv /root/ssh_host* /etc/ssh/; systemctl reload sshd'"
    )
    assert back.code == 0, back.why


def test_memory_and_a_data_disk_are_exactly_what_preview_names_and_up_does(brought_up: Checkout) -> None:
    with brought_up.settings() as config:
        config["hypercompose:vms"][0]["memory_mib"] = 3072
    assert brought_up.preview() == {f"{VM}-vm": "update"}
    with brought_up.settings() as config:
        group = config["hypercompose:vms"][0]
        group["data_first_id"] = 1600
        group["data_disks"] = [{"name": "data", "slot": 1, "size_gib": 1, "filesystem": "ext4", "mount": "/srv/data"}]
    added = dict.fromkeys((f"{VM}-data-claim", f"{VM}-data-vm", f"{VM}-data-proof", f"{VM}-data"), "create")
    assert brought_up.preview() == {**added, f"{VM}-vm": "update"}
    up = brought_up.make("up")
    assert up.code == 0, up.why
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
    assert up.code == 0, up.why
    after = brought_up.hosts()[VM]
    assert after["address"].endswith(".12")
    assert after["host_key"] != before["host_key"]
    assert brought_up.ssh(after, "cat /srv/data/file").text.strip() == "kept"


def test_down_leaves_nothing(brought_up: Checkout) -> None:
    down = brought_up.make("down")
    assert down.code == 0, down.why
    up = brought_up.make("lab-up")  # `down` stops a lab that nobody uses
    assert up.code == 0, up.why
    assert not {1100, 1600} & set(brought_up.vms())
    assert "local:iso/hypercompose-1100.iso" not in discs(brought_up)
