"""Killed runs, and VMs that belong to somebody else."""

import pytest

from setup.locks import remove_stale_locks
from tests.lab.checkout import Checkout

pytestmark = pytest.mark.lab  # in order: each test goes on where the one before ended


def test_a_run_killed_while_the_vm_is_cloned_is_refused_by_plain_up_and_mended_by_make_up(checkout: Checkout) -> None:
    checkout.kill_up_when(lambda _: 4001 in checkout.vms(), stack="test")
    assert 4001 in checkout.vms()
    remove_stale_locks(checkout.session("test"))
    refused = checkout.pulumi("up", "--yes", stack="test")
    assert refused.code != 0
    assert "Type: make recover STACK=test" in refused.text
    mended = checkout.make("up", stack="test")
    assert mended.code == 0, mended.why
    assert "left half made by an interrupted run" in mended.text
    assert [name for name in checkout.vms().values() if name == "vm-test"] == ["vm-test"]
    assert checkout.ssh(checkout.hosts("test")["vm-test"], "true").code == 0
    assert checkout.preview(stack="test") == {}


def test_a_run_killed_while_the_host_key_changes_goes_on_where_it_was(checkout: Checkout) -> None:
    assert checkout.pulumi("destroy", "--yes", "--skip-preview", stack="test").code == 0
    checkout.kill_up_when(lambda text: "HostKey vm-test-host-key creating" in text, stack="test", after_s=0.2)
    mended = checkout.make("up", stack="test")
    assert mended.code == 0, mended.why
    assert checkout.ssh(checkout.hosts("test")["vm-test"], "true").code == 0


def test_a_strangers_vm_is_refused_before_anything_is_made_and_stays_as_it_is(checkout: Checkout) -> None:
    with checkout.settings("test") as config:
        config["hypercompose:vms"][0]["first_id"] = 4002
    api = checkout.api()
    form: dict[str, str | int] = {"vmid": 4002, "name": "vm-test", "memory": 512, "tags": "hypercompose"}
    api.wait("pve2", str(api.post("/nodes/pve2/qemu", form)))
    before = api.get("/nodes/pve2/qemu/4002/config")
    refused = checkout.make("up", stack="test")
    assert refused.code != 0
    assert "4002 is taken" in refused.text
    assert "left alone" in refused.text
    assert 4001 in checkout.vms()  # the VM that would have been replaced
    assert checkout.pulumi("destroy", "--yes", "--skip-preview", stack="test").code == 0
    assert api.get("/nodes/pve2/qemu/4002/config") == before
    assert set(checkout.vms()) & {4001, 4002} == {4002}
